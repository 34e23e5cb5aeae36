import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { defaultConfig } from './load.ts'
import { changedStartSettings, keepStartSettings, startOnlyPaths } from './readings.ts'

const running = defaultConfig()

test('a reload keeps what is read at the start only and takes the rest', () => {
  const next = defaultConfig()
  next.gateway.http.host = '127.0.0.2'
  next.gateway.trustedProxies = ['10.0.0.0/8']
  next.tls.certificateFile = 'new.crt'
  next.bounds.jsonDepth = 9
  next.models = [{ name: 'new', targets: [{ deployment: 'a' }] }]
  const kept = keepStartSettings(next, running)
  assert.equal(kept.gateway.http.host, '127.0.0.1')
  assert.deepEqual(kept.gateway.trustedProxies, ['10.0.0.0/8'])
  assert.equal(kept.tls.certificateFile, undefined)
  assert.equal(kept.bounds.jsonDepth, 9)
  assert.equal(kept.models?.[0]?.name, 'new')
  assert.deepEqual(keepStartSettings(running, running), running)
})

test('what differs and waits for the next start is named to the option', () => {
  const next = defaultConfig()
  next.dataDir = '/elsewhere'
  next.gateway.https.port = 443
  next.tls.hostnames = ['gateway.example']
  next.usage.retentionDays = 5
  next.shutdown.drainTimeoutMs = 1
  next.storage.poolSize = 20
  next.counters.timeoutMs = 20
  next.providers = [{ id: 'own' }]
  next.bounds.jsonDepth = 9
  assert.deepEqual(changedStartSettings(next, running), [
    'dataDir',
    'gateway.https.port',
    'tls.hostnames',
    'storage.poolSize',
    'counters.timeoutMs',
    'shutdown.drainTimeoutMs',
    'usage.retentionDays',
    'providers',
  ])
  assert.deepEqual(changedStartSettings(running, running), [])
})

test('the reference names every option that is read at the start only', () => {
  const reference = readFileSync(new URL('../../docs/reference/configuration.md', import.meta.url), 'utf8')
  const sentence = /Read at the start only: (.*)\./.exec(reference)?.[1] ?? ''
  assert.deepEqual(
    sentence.split(', ').map((path) => path.replaceAll('`', '')),
    startOnlyPaths,
  )
})
