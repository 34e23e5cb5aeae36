import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alertProblems } from './alerts-form.ts'
import { defaultConfig } from './load.ts'

const problemsOf = (url: string, allowPrivateNetwork = false): readonly string[] =>
  alertProblems({ alerts: { webhook: { url, secret: 'env:HOOK', allowPrivateNetwork } } }).map(({ path }) =>
    path.join('.'),
  )

test('no receiver of alerts is configured by default', () => {
  assert.equal(defaultConfig().alerts.webhook, undefined)
})

test('a receiver that egress would deny is refused at its place', () => {
  assert.deepEqual(problemsOf('https://alerts.example.com/gatewright'), [])
  for (const url of [
    'http://alerts.example.com/',
    'https://127.0.0.1/',
    'https://user@example.com/',
    'nonsense',
  ])
    assert.deepEqual(problemsOf(url), ['alerts.webhook.url'], url)
  assert.deepEqual(problemsOf('http://127.0.0.1:8000/alerts', true), [])
  assert.deepEqual(problemsOf('http://169.254.169.254/', true), ['alerts.webhook.url'])
})
