import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OversightEvent } from '../domain/oversight-event.ts'
import { sampleEvent } from '../events/harness/sample-events.ts'
import { createDenialBook } from './denial-book.ts'
import { type AuditDetails, encodeEntry } from './entry.ts'

const start = Date.UTC(2026, 10, 1)
const minuteMs = 60_000

function openBook() {
  const entries: { event: OversightEvent; details: AuditDetails }[] = []
  const state = { now: start, isFull: false }
  const book = createDenialBook({
    async record(event, details) {
      if (state.isFull) throw new Error('full')
      entries.push({ event, details })
    },
    now: () => state.now,
  })
  let number = 0
  const deny = (own: Partial<OversightEvent> = {}, key = 'key_1'): void => {
    number += 1
    const { actor, exchange } = sampleEvent()
    const id = `req_${number}`
    book.add([
      sampleEvent({
        id: `${id}.refused`,
        time: state.now,
        stream: 'security',
        action: 'limits.refused',
        outcome: 'failure',
        reason: 'limits.exceeded',
        actor: { ...actor, id: key },
        exchange: exchange === null ? null : { ...exchange, requestId: id },
        ...own,
      }),
    ])
  }
  /** The book looks every few seconds; what it writes is written before the next look. */
  async function pass(ms: number): Promise<void> {
    for (const end = state.now + ms; state.now < end; ) {
      state.now += 5000
      book.settle()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const total = (): number => entries.reduce((sum, { details }) => sum + 1 + (details.repeats ?? 0), 0)
  return { book, deny, entries, state, pass, total }
}

test('the first denial of a kind has an entry at once, and all alike after it one entry for a window', async () => {
  const { deny, entries, pass, book } = openBook()
  deny()
  deny()
  deny()
  deny({}, 'key_2')
  deny({ reason: 'limits.unavailable' })
  assert.deepEqual(
    entries.map(({ event, details }) => [event.id, event.actor.id, details]),
    [
      ['req_1.denied', 'key_1', {}],
      ['req_4.denied', 'key_2', {}],
      ['req_5.denied', 'key_1', {}],
    ],
  )
  await pass(minuteMs)
  assert.deepEqual(
    entries.slice(3).map(({ event, details }) => [event.id, details]),
    [['req_2.denied', { repeats: 1, until: start }]],
  )
  await pass(10 * minuteMs)
  deny()
  assert.equal(entries.length, 5, 'what was quiet for a window begins anew')
  assert.equal(await book.close(), 0)
})

test('a flood that goes on costs some ninety entries a day, and each denial is counted', async () => {
  const { deny, entries, pass, total, book } = openBook()
  let sent = 0
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    for (let at = 0; at < 20; at += 1) deny()
    sent += 20
    await pass(minuteMs)
  }
  assert.equal(await book.close(), 0)
  assert.ok(entries.length > 85 && entries.length < 100, `${entries.length} entries`)
  assert.equal(total(), sent)
})

test('who has many keys makes no more entries than the bound, and none is uncounted', async () => {
  const { deny, entries, pass, total, book } = openBook()
  for (let key = 0; key < 5000; key += 1) deny({}, `key_${key}`)
  assert.equal(entries.length, 501)
  const rest = entries.at(-1)?.event
  assert.deepEqual([rest?.organizationId, rest?.actor.id, rest?.actor.kind], ['', '', 'unknown'])
  await pass(minuteMs)
  assert.equal(entries.length, 502)
  assert.equal(total(), 5000)
  await book.close()
})

test('while the log takes nothing, denials are kept and counted, and told of at the end', async () => {
  const { deny, entries, pass, state, total, book } = openBook()
  state.isFull = true
  for (let at = 0; at < 10; at += 1) deny({ count: 3 })
  await pass(20 * minuteMs)
  assert.equal(entries.length, 0)
  state.isFull = false
  await pass(20 * minuteMs)
  assert.equal(total(), 30)
  state.isFull = true
  deny({ reason: 'auth.invalid-key' })
  assert.equal(await book.close(), 1)
})

test('an entry says neither from where nor in whose name a request came, nor what the caller wrote', () => {
  const { deny, entries } = openBook()
  const { exchange } = sampleEvent()
  assert.ok(exchange !== null)
  deny({ exchange: { ...exchange, model: 'sk-pasted-by-mistake', traceId: 'trace-of-caller' } })
  const [entry] = entries
  assert.ok(entry !== undefined)
  const text = encodeEntry(entry.event, entry.details, []).toString()
  for (const part of ['192.0.2.7', 'u-17', 'sk-pasted', 'trace-of']) assert.ok(!text.includes(part), part)
  for (const part of ['limits.exceeded', 'key_1', 'org_acme', 'app_shop', 'chat.create'])
    assert.ok(text.includes(part), part)
})

test('what is no security event is passed over', () => {
  const { deny, entries } = openBook()
  deny({ stream: 'access' })
  assert.deepEqual(entries, [])
})
