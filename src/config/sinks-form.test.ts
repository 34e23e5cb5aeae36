import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultConfig } from './load.ts'
import { parseConfigText } from './parse.ts'
import { configSchema } from './schema.ts'
import { sinkProblems } from './sinks-form.ts'

const webhook = 'webhook: { url: https://siem.example.com/in, secret: env:SIEM }'
const parse = (sinks: string) => parseConfigText(`sinks:\n${sinks}`, 'gatewright.yaml', configSchema).value
const problemsOf = (sinks: string): string[] => sinkProblems(parse(sinks)).map(({ path }) => path.join('.'))

test('there is no sink by default, and one that is named has bounds of its own', () => {
  assert.deepEqual(defaultConfig().sinks, [])
  const [sink] = parse(`  - { name: siem, ${webhook} }`).sinks
  assert.deepEqual(sink?.streams, ['access', 'security', 'audit'])
  assert.equal(sink?.minSeverity, 'info')
  assert.deepEqual([sink?.batchEvents, sink?.concurrency, sink?.jsonlFile], [500, 4, undefined])
})

test('a sink has one type, a name of its own, and an address that egress would allow', () => {
  assert.deepEqual(problemsOf(`  - { name: siem, ${webhook} }`), [])
  assert.deepEqual(problemsOf('  - { name: siem }'), ['sinks.0'])
  assert.deepEqual(problemsOf(`  - { name: siem, jsonlFile: { path: a }, ${webhook} }`), ['sinks.0'])
  assert.deepEqual(problemsOf(`  - { name: siem, ${webhook} }\n  - { name: siem, jsonlFile: { path: a } }`), [
    'sinks.1.name',
  ])
  const inside = webhook.replace('siem.example.com', '169.254.169.254')
  assert.deepEqual(problemsOf(`  - { name: siem, ${inside} }`), ['sinks.0.webhook.url'])
})

test('streams, severities and secrets that are none are refused', () => {
  for (const sink of [
    `{ name: siem, streams: [gossip], ${webhook} }`,
    `{ name: siem, streams: [], ${webhook} }`,
    `{ name: siem, minSeverity: dreadful, ${webhook} }`,
    `{ name: ../siem, ${webhook} }`,
    '{ name: siem, webhook: { url: https://siem.example.com/in, secret: plain-text } }',
  ])
    assert.throws(() => parse(`  - ${sink}`), sink)
})
