import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OversightEvent } from '../domain/oversight-event.ts'
import { sampleRecord } from '../usage/sample-record.ts'
import { eventsOfRecord } from './events-of-record.ts'
import { createLiveHub, type LiveHub } from './live-hub.ts'
import { sanitiseEvent } from './sanitise-event.ts'

function event(number: number): OversightEvent {
  const [access] = eventsOfRecord(sampleRecord(number))
  assert.ok(access !== undefined)
  return access
}

function open(
  hub: LiveHub,
  after: string | null = null,
  wants: (event: OversightEvent) => boolean = () => true,
) {
  const subscription = hub.subscribe({ wants, after })
  assert.ok(subscription !== null)
  return subscription
}

const ids = (batch: { readonly entries: readonly { readonly event: OversightEvent }[] }) =>
  batch.entries.map((entry) => entry.event.time % 1000)

test('a slow reader loses the oldest, is told how many, and holds up nobody', async () => {
  const hub = createLiveHub({ monotonic: () => 0, bufferSize: 3 })
  const [slow, quick] = [open(hub), open(hub)]
  const seen: number[] = []
  for (let number = 0; number < 8; number += 1) {
    hub.publish(event(number))
    seen.push(...ids(await quick.read(0)))
  }
  const batch = await slow.read(0)
  assert.deepEqual([batch.lost, ids(batch)], [5, [5, 6, 7]])
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7])
  assert.deepEqual(await slow.read(0), { lost: 0, reason: 'slow', entries: [], ended: false })
})

test('who comes back goes on after the last event it saw, or is told that some are gone', async () => {
  const hub = createLiveHub({ monotonic: () => 0, ringSize: 4 })
  const first = open(hub)
  for (let number = 0; number < 3; number += 1) hub.publish(event(number))
  const place = (await first.read(0)).entries[0]?.place ?? ''
  first.close()
  assert.deepEqual(ids(await open(hub, place).read(0)), [1, 2])
  for (let number = 3; number < 9; number += 1) hub.publish(event(number))
  const late = await open(hub, place).read(0)
  assert.deepEqual([late.lost, late.reason, ids(late)], [null, 'late', [5, 6, 7, 8]])
  const elsewhere = await open(createLiveHub({ monotonic: () => 0 }), place).read(0)
  assert.deepEqual([elsewhere.lost, elsewhere.reason, elsewhere.entries], [null, 'restart', []])
  for (const odd of ['', '-', 'x-1', `${place}9999999999999999`]) {
    assert.equal((await open(hub, odd).read(0)).lost, null)
  }
})

test('subscribers are capped, a place is free again when one leaves, and closing ends all', async () => {
  let now = 0
  const hub = createLiveHub({ monotonic: () => now, maxSubscribers: 2, lingerMs: 10 })
  assert.equal(hub.isWatched(), false)
  const [one, other] = [open(hub), open(hub)]
  assert.equal(hub.subscribe({ wants: () => true, after: null }), null)
  one.close()
  open(hub)
  const waiting = other.read(60_000)
  hub.close()
  assert.equal((await waiting).ended, true)
  assert.equal(hub.subscribe({ wants: () => true, after: null }), null)
  assert.equal(hub.isWatched(), true)
  now = 10
  assert.equal(hub.isWatched(), false)
})

test('a reader gets only what it wants, and waits no longer than until it comes', async () => {
  const hub = createLiveHub({ monotonic: () => 0 })
  const odd = open(hub, null, ({ time }) => time % 2 === 1)
  const waiting = odd.read(60_000)
  hub.publish(event(2))
  hub.publish(event(3))
  assert.deepEqual(ids(await waiting), [3])
})

test('a sanitised event names no address and no end user, and the same person by the same name', () => {
  const base = event(1)
  const named = { ...base, actor: { ...base.actor, address: '203.0.113.7', endUser: 'ada@example.com' } }
  const shown = sanitiseEvent(named)
  assert.ok(!JSON.stringify(shown).includes('203.0.113.7'))
  assert.ok(!JSON.stringify(shown).includes('ada@example.com'))
  assert.equal(sanitiseEvent(named).actor.endUser, shown.actor.endUser)
  assert.equal(sanitiseEvent({ ...base, actor: { ...base.actor, endUser: '' } }).actor.endUser, '')
})
