import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createHttp1Client } from '../adapters/http1/client.ts'
import { parseConfigText } from '../config/parse.ts'
import { configSchema } from '../config/schema.ts'
import { createEgressGuard } from '../egress/index.ts'
import { sampleEvents } from '../events/harness/sample-events.ts'
import { ecsDocument, ocsfDocument } from '../events/index.ts'
import { signWebhook } from '../kernel/webhook-signature.ts'
import { openSink } from './sink-types.ts'

const now = 1_800_000_000_000
const writers = {
  event: JSON.stringify,
  ecs: (event) => ecsDocument(event),
  ocsf: ocsfDocument,
} satisfies Record<string, (event: (typeof sampleEvents)[number]) => string>

function start(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-sinks-'))
  const egress = createEgressGuard()
  const client = createHttp1Client({ egress })
  t.after(() => {
    client.close()
    rmSync(directory, { recursive: true })
  })
  const tools = {
    name: 'sink',
    timeoutMs: 5000,
    client,
    egress,
    readReference: () => 'key',
    now: () => now,
    directory,
  }
  return {
    directory,
    async deliver(section: string) {
      const text = `sinks:\n  - { name: sink, ${section} }`
      const [config] = parseConfigText(text, 'gatewright.yaml', configSchema).value.sinks
      assert.ok(config !== undefined)
      const sink = openSink(config, tools)
      const { retry, problem } = await sink.deliver(sampleEvents, new AbortController().signal)
      assert.deepEqual([retry, problem], [[], ''])
      await sink.close()
    },
  }
}

test('a file holds events in the form that is configured, a line each; our own without a word', async (t) => {
  const { directory, deliver } = start(t)
  await deliver('jsonlFile: { path: plain.jsonl }')
  for (const format of Object.keys(writers))
    await deliver(`jsonlFile: { path: ${format}.jsonl, format: ${format} }`)
  const read = (name: string): string => readFileSync(join(directory, `${name}.jsonl`), 'utf8')
  assert.equal(read('plain'), read('event'))
  for (const [format, write] of Object.entries(writers))
    assert.equal(read(format), sampleEvents.map((event) => `${write(event)}\n`).join(''))
})

test('a webhook gets events in the form that is configured, and the signature is of those bytes', async (t) => {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      assert.equal(request.headers['x-gatewright-signature'], signWebhook('key', body, now / 1000))
      bodies.push(body)
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { deliver } = start(t)
  const own = `url: 'http://127.0.0.1:${port}/in', secret: 'env:KEY', allowPrivateNetwork: true`
  await deliver(`webhook: { ${own} }`)
  for (const format of Object.keys(writers)) await deliver(`webhook: { ${own}, format: ${format} }`)
  const expected = Object.values(writers).map(
    (write) => `{"type":"events","events":[${sampleEvents.map((event) => write(event)).join(',')}]}`,
  )
  assert.deepEqual(bodies, [expected[0], ...expected])
})
