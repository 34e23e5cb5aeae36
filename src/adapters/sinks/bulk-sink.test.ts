import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type BulkFaults, startBulkServer } from '../../../test/fixtures/bulk/bulk-server.ts'
import { openBulkSink } from '../../compose/network-sinks.ts'
import type { OversightEvent } from '../../domain/oversight-event.ts'
import { createEgressGuard } from '../../egress/index.ts'
import { sampleEvent, sampleEvents } from '../../events/harness/sample-events.ts'
import { createHttp1Client } from '../http1/client.ts'

const signal = new AbortController().signal
const never: BulkFaults = { call: () => null, item: () => null }

async function start(t: TestContext, faults: BulkFaults) {
  const server = await startBulkServer(faults)
  const client = createHttp1Client({ egress: createEgressGuard() })
  t.after(() => {
    client.close()
    server.close()
  })
  const address = { url: `http://127.0.0.1:${server.port}`, allowPrivateNetwork: true }
  const settings = { ...address, secret: 'env:KEY', scheme: 'apiKey', namespace: 'default' } as const
  const tools = { name: 'search', timeoutMs: 2000, client, readReference: () => 'a2V5', now: Date.now }
  return { server, sink: openBulkSink(settings, tools) }
}

test('documents of all streams are framed as a strict server demands, and a repeat changes nothing', async (t) => {
  const { server, sink } = await start(t, never)
  for (const _ of [1, 2]) {
    const { retry, rejected } = await sink.deliver(sampleEvents, signal)
    assert.deepEqual([retry, rejected], [[], []])
  }
  assert.equal(server.documents.size, sampleEvents.length)
  assert.deepEqual(server.complaints, [])
  assert.deepEqual([...server.authorizations], ['ApiKey a2V5'])
})

test('items are judged one by one: 409 taken, 429 and 503 again, 404 again, 400 given up with its type', async (t) => {
  const statuses = [null, 429, 503, 404, 400]
  const { sink } = await start(t, { ...never, item: () => statuses.shift() ?? null })
  const outcome = await sink.deliver(sampleEvents.slice(0, 5), signal)
  assert.deepEqual(outcome.retry, [1, 2, 3])
  assert.deepEqual(outcome.rejected, [{ at: 4, reason: 'item 400 es_rejected_execution_exception' }])
  assert.match(outcome.problem, /^item 404/)
})

test('of 2,000 events, with 30 % of calls and items failing, exactly the set arrives', async (t) => {
  let state = 1
  const random = (): number => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
  const { server, sink } = await start(t, {
    call: () =>
      random() < 0.3 ? (random() < 0.5 ? { status: 429 } : random() < 0.5 ? { status: 503 } : 'reset') : null,
    item: () => (random() < 0.3 ? 429 : null),
  })
  let waiting: readonly OversightEvent[] = Array.from({ length: 2000 }, (_, at) =>
    sampleEvent({ id: `evt_${at}` }),
  )
  for (let round = 0; waiting.length > 0; round += 1) {
    assert.ok(round < 500, 'it does not come to an end')
    const batch = waiting.slice(0, 500)
    const outcome = await sink.deliver(batch, signal)
    assert.deepEqual(outcome.rejected, [])
    waiting = [...waiting.slice(500), ...outcome.retry.flatMap((at) => batch[at] ?? [])]
  }
  const ids = [...server.documents.keys()].map((place) => place.split('/')[1]).sort()
  assert.deepEqual(ids, Array.from({ length: 2000 }, (_, at) => `evt_${at}`).sort())
})
