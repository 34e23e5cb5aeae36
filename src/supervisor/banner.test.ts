import assert from 'node:assert/strict'
import { test } from 'node:test'
import { banner, curlExample, sdkExample } from './banner.ts'
import type { Welcome } from './messages.ts'

const welcome: Welcome = {
  apiKey: 'gwr_live_abc',
  setupPath: '/setup#token',
  authorityFile: '/data/tls/ca.crt',
  environmentDeployments: [],
  sandbox: true,
  controlUrls: ['http://127.0.0.1:9080', 'https://127.0.0.1:9443'],
  warnings: [],
}
const options = { colour: false, version: '1.2.3', tookMs: 1234 }
const dataUrls = ['https://127.0.0.1:8443', 'http://127.0.0.1:8080']
const show = (own: Partial<Welcome> = {}, more: Partial<typeof options> = {}) =>
  banner({ dataUrls, welcome: { ...welcome, ...own } }, { ...options, ...more })

test('a first start shows where it listens, the key once, the set-up link and what to paste', () => {
  const text = show()
  for (const part of [...dataUrls, ...welcome.controlUrls, '/data/tls/ca.crt', '1.2 s', '1.2.3']) {
    assert.ok(text.includes(part), part)
  }
  assert.ok(text.includes('http://127.0.0.1:9080/setup#token'))
  assert.ok(
    text.includes(curlExample('http://127.0.0.1:8080', 'gwr_live_abc', 'sandbox').split('\n')[0] ?? '?'),
  )
  assert.ok(text.includes("apiKey: 'gwr_live_abc'"))
  assert.match(text, /shown once/)
})

test('a later start shows neither key nor link', () => {
  const text = show({ apiKey: null, setupPath: null })
  assert.doesNotMatch(text, /gwr_|setup|shown once/)
  assert.match(text, /<your API key>/)
})

test('without colour the text is plain; with it only escape sequences are added', () => {
  const plain = show()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
  const colours = /\u001b\[\d+m/g
  assert.doesNotMatch(plain, colours)
  assert.equal(show({}, { colour: true }).replace(colours, ''), plain)
})

test('providers from the environment, the sandbox, and how to add a provider are told apart', () => {
  assert.match(show(), /sandbox model answers/)
  assert.match(show({ sandbox: false }), /Add a provider/)
  assert.match(show({ environmentDeployments: ['openai', 'gemini'] }), /from the environment: openai, gemini/)
  assert.match(show({ warnings: ['deployment x: out of service'] }), /! deployment x: out of service/)
})

test('the snippet has five lines and streams', () => {
  const lines = sdkExample('http://h', 'k', 'm').split('\n')
  assert.equal(lines.length, 5)
  assert.match(lines.join(), /stream: true/)
})
