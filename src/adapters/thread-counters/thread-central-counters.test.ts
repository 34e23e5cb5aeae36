import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { testCentralCountersContract } from '../../ports/central-counters.contract.ts'
import type { CentralCounters, CounterEntry } from '../../ports/central-counters.ts'
import { createMemoryCounterStore } from '../memory/memory-central-counters.ts'
import {
  type CounterStores,
  type CountersAnswer,
  type CountersRequest,
  createThreadCounters,
  serveCounters,
  type ThreadCounters,
} from './thread-central-counters.ts'

const ports: MessagePort[] = []
after(() => {
  for (const port of ports) port.close()
})

/** A worker's counters over a message port, served from `stores` at its other end. */
function connected(stores: CounterStores): { readonly counters: ThreadCounters; readonly port: MessagePort } {
  const { port1, port2 } = new MessageChannel()
  ports.push(port1)
  const counters = createThreadCounters()
  const send = (request: CountersRequest): void => port1.postMessage(request)
  counters.connect(send)
  port1.on('message', (answer: CountersAnswer) => counters.answer(answer))
  port1.on('close', () => counters.disconnect(send))
  port2.on('message', (request: CountersRequest) => {
    void serveCounters(stores, request).then((answer) => port2.postMessage(answer))
  })
  return { counters, port: port2 }
}

testCentralCountersContract('across threads', async () => {
  const store = createMemoryCounterStore({ now: Date.now, ttlMs: 300 })
  return {
    ttlMs: 300,
    open: async (node) => connected({ calendar: null, rates: store.open(node) }).counters.open('rates'),
    remove: () => Promise.resolve(),
  }
})

const one: CounterEntry = { key: '{t}x', terms: { kind: 'concurrency', amount: 1 }, units: 1 }
const neverAnswers = { take: () => new Promise(() => undefined) } as unknown as CentralCounters

test('two workers ask one store; a store that the node has not got is refused', async () => {
  const stores = { calendar: null, rates: createMemoryCounterStore({ now: Date.now, ttlMs: 300 }).open('a') }
  const [first, second] = [connected(stores).counters, connected(stores).counters]
  assert.equal((await first.open('rates').take([one])).taken, true)
  assert.equal((await second.open('rates').take([one])).taken, false)
  await assert.rejects(first.open('calendar').take([one]))
})

test('without a control plane nobody can say, and calls under way are rejected when it goes', async () => {
  await assert.rejects(createThreadCounters().open('rates').take([one]))
  const { counters, port } = connected({ calendar: null, rates: neverAnswers })
  const taking = counters.open('rates').take([one])
  port.close()
  await assert.rejects(taking)
})

test('what the store says of its failure stays on its side', async () => {
  const failing = {
    take: () => Promise.reject(new Error('redis://user:secret@host')),
  } as unknown as CentralCounters
  const { counters } = connected({ calendar: null, rates: failing })
  await assert.rejects(
    counters.open('rates').take([one]),
    (error) => error instanceof Error && !error.message.includes('secret'),
  )
})
