import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OversightEvent } from '../domain/oversight-event.ts'
import type { DeliveryOutcome } from '../ports/event-sink.ts'
import { sampleRecord } from '../usage/sample-record.ts'
import {
  allTaken,
  createTestSink,
  type DeliveryBench,
  eventually,
  openBench,
  planFor,
  withBench,
} from './harness/delivery-bench.ts'
import { sampleEvent } from './harness/sample-event.ts'

const lineOf = (number: number, own = {}): string => JSON.stringify(sampleRecord(number, own))
const idOf = (number: number): string => sampleRecord(number).id

/** `count` exchanges from `first` on, ten to a frame. */
async function recordMany(bench: DeliveryBench, first: number, count: number): Promise<Set<string>> {
  const numbers = Array.from({ length: count }, (_, at) => first + at)
  for (let at = 0; at < count; at += 10)
    assert.equal(await bench.record(numbers.slice(at, at + 10).map((number) => lineOf(number))), null)
  return new Set(numbers.map(idOf))
}

/** The same every time, uniform in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const failed = (
  batch: readonly OversightEvent[],
  problem = 'the receiver answered 503',
): DeliveryOutcome => ({
  ...allTaken,
  retry: [...batch.keys()],
  problem,
})

test(
  'through 30 % of calls that fail as a whole or in part, exactly what happened arrives',
  withBench(async (bench) => {
    const random = seeded(11)
    const sink = createTestSink((batch) => {
      if (random() >= 0.3) return allTaken
      if (random() < 0.5) return { ...failed(batch), retryAfterMs: random() < 0.5 ? 5 : null }
      return { ...failed(batch), retry: [...batch.keys()].filter(() => random() < 0.3) }
    })
    await bench.delivery.configure([planFor(sink.sink)])
    const expected = await recordMany(bench, 0, 1000)
    for (let at = 0; at < 200; at += 1) {
      const event = sampleEvent({ id: `evt_${at}` })
      expected.add(event.id)
      assert.equal(await bench.spool.append([event]), null)
    }
    await eventually(() => sink.ids().size === expected.size, 30_000)
    assert.deepEqual(sink.ids(), expected)
    const [status] = await bench.delivery.status()
    assert.equal(status?.rejected, 0)
    assert.ok((status?.retried ?? 0) > 0, 'some were sent again')
  }),
)

test(
  'what did not arrive before an end arrives after it, whatever order batches ended in',
  withBench(async (bench, directory) => {
    const first = createTestSink((batch) =>
      // One batch never ends, later ones do.
      batch.some(({ id }) => id === idOf(100)) ? new Promise(() => undefined) : sleep(5, allTaken),
    )
    await bench.delivery.configure([planFor(first.sink, { timeoutMs: 60_000, batch: smallBatches })])
    const expected = await recordMany(bench, 0, 200)
    await eventually(() => first.ids().has(idOf(150)))
    // Its place is stored once a second.
    await sleep(1200)
    await bench.close()

    const again = await openBench(directory)
    const second = createTestSink()
    await again.delivery.configure([planFor(second.sink)])
    const more = await recordMany(again, 1000, 20)
    await eventually(() => second.ids().has(idOf(1019)))
    const arrived = new Set([...first.ids(), ...second.ids()])
    assert.deepEqual(arrived, new Set([...expected, ...more]))
    assert.ok(second.ids().has(idOf(100)), 'what never ended is sent again')
    assert.ok(!second.ids().has(idOf(50)), 'what lies before it is not')
    await again.close()
  }),
)

const smallBatches = { events: 10, bytes: 1_000_000, waitMs: 5 }

test(
  'what arrived before an end is not sent again after it',
  withBench(async (bench, directory) => {
    const first = createTestSink()
    await bench.delivery.configure([planFor(first.sink)])
    const expected = await recordMany(bench, 0, 100)
    await eventually(() => first.ids().size === expected.size)
    await bench.close()
    const again = await openBench(directory)
    const second = createTestSink()
    await again.delivery.configure([planFor(second.sink)])
    const more = await recordMany(again, 500, 10)
    await eventually(() => second.ids().size >= 10)
    assert.deepEqual(second.ids(), more)
    await again.close()
  }),
)

test(
  'a receiver that is down opens the circuit and is probed; when it is back, all arrives and the circuit closes',
  withBench(async (bench) => {
    let isDown = true
    const sink = createTestSink((batch) => (isDown ? failed(batch) : allTaken))
    await bench.delivery.configure([planFor(sink.sink)])
    const expected = await recordMany(bench, 0, 500)
    await eventually(() => sink.calls.length >= 6)
    const [down] = await bench.delivery.status()
    assert.notEqual(down?.circuit, 'closed')
    assert.equal(down?.places, 1)
    assert.equal(down?.problem, 'the receiver answered 503')
    assert.ok((down?.lagMs ?? 0) > 0 && (down?.waitingBytes ?? 0) > 0)
    isDown = false
    await eventually(() => sink.ids().size === expected.size)
    assert.deepEqual(sink.ids(), expected)
    await eventually(() => bench.delivery.figures()[0]?.lagMs === 0)
    const [up] = await bench.delivery.status()
    assert.deepEqual([up?.circuit, up?.problem, up?.waitingBytes], ['closed', '', 0])
    assert.deepEqual(bench.logged, [
      'Events wait for test: the receiver answered 503.',
      'Events arrive at test again.',
    ])
  }),
)

test(
  'a call that never ends counts as failed and is made again',
  withBench(async (bench) => {
    let calls = 0
    const sink = createTestSink(() => {
      calls += 1
      return calls === 1 ? new Promise(() => undefined) : allTaken
    })
    await bench.delivery.configure([planFor(sink.sink, { timeoutMs: 50 })])
    await recordMany(bench, 0, 10)
    await eventually(() => sink.ids().size === 10)
    assert.match(bench.logged[0] ?? '', /took too long/)
  }),
)

test(
  'batches that are too large are halved; one event that is too large for the receiver is put aside, the others arrive',
  withBench(async (bench) => {
    const sink = createTestSink((batch) => {
      const isTooLarge = batch.length > 7 || batch.some(({ id }) => id === idOf(33))
      return isTooLarge ? { ...allTaken, tooLarge: true, problem: 'the receiver answered 413' } : allTaken
    })
    await bench.delivery.configure([planFor(sink.sink)])
    const expected = await recordMany(bench, 0, 100)
    await eventually(() => sink.ids().size === expected.size - 1)
    expected.delete(idOf(33))
    assert.deepEqual(sink.ids(), expected)
    await eventually(() => bench.delivery.figures()[0]?.deadLetters === 1)
    const letters = await bench.delivery.letters('test', 10)
    assert.deepEqual(
      letters?.map(({ reason, event }) => [reason, event.id]),
      [['the receiver answered 413', idOf(33)]],
    )
  }),
)

test(
  'what is rejected becomes a dead letter, outlives a restart, and arrives with a replay once the receiver takes it',
  withBench(async (bench, directory) => {
    const strict = (batch: readonly OversightEvent[]): DeliveryOutcome => ({
      ...allTaken,
      rejected: batch.flatMap(({ id }, at) => (id.endsWith('7') ? [{ at, reason: 'mapping conflict' }] : [])),
    })
    const first = createTestSink(strict)
    await bench.delivery.configure([planFor(first.sink)])
    const expected = await recordMany(bench, 0, 100)
    await eventually(() => bench.delivery.figures()[0]?.deadLetters === 10)
    assert.deepEqual(await bench.delivery.replay('test'), { delivered: 0, rejected: 10, remaining: 10 })
    await bench.close()

    const again = await openBench(directory)
    const second = createTestSink()
    await again.delivery.configure([planFor(second.sink)])
    assert.equal(again.delivery.figures()[0]?.deadLetters, 10)
    assert.deepEqual(await again.delivery.replay('test'), { delivered: 10, rejected: 0, remaining: 0 })
    assert.deepEqual(new Set([...first.ids(), ...second.ids()]), expected)
    assert.deepEqual(await again.delivery.letters('test', 10), [])
    assert.equal(await again.delivery.replay('nobody'), null)
    await again.close()
  }),
)

test(
  'a sink gets the streams that it names, from the severity that it names on',
  withBench(async (bench) => {
    const security = createTestSink()
    const usage = createTestSink()
    const severe = createTestSink()
    await bench.delivery.configure([
      planFor(security.sink, { name: 'security', streams: ['security'] }),
      planFor(usage.sink, { name: 'usage', streams: ['usage'] }),
      planFor(severe.sink, { name: 'severe', minSeverity: 'medium' }),
    ])
    await bench.record([
      lineOf(1),
      lineOf(2, { outcome: 'refused', fault: 'limits.rate', status: 429 }),
      lineOf(3, { outcome: 'failed', fault: 'upstream.timeout', status: 504 }),
    ])
    await bench.spool.append([sampleEvent()])
    await eventually(() => security.ids().size === 2 && usage.ids().size === 3 && severe.ids().size === 1)
    assert.deepEqual(security.ids(), new Set([`${idOf(2)}.refused`, 'evt_1']))
    assert.deepEqual(usage.ids(), new Set([1, 2, 3].map((number) => `${idOf(number)}.usage`)))
    assert.deepEqual(severe.ids(), new Set([idOf(3)]))
  }),
)

test(
  'a sink begins with what happens after it was named',
  withBench(async (bench) => {
    await recordMany(bench, 0, 20)
    const sink = createTestSink()
    await bench.delivery.configure([planFor(sink.sink)])
    const expected = await recordMany(bench, 100, 10)
    await eventually(() => sink.ids().size >= 10)
    assert.deepEqual(sink.ids(), expected)
  }),
)

test(
  'exchanges that retention removes before they arrive are told as a gap, with their number',
  withBench(
    async (bench) => {
      let isDown = true
      const sink = createTestSink((batch) => (isDown ? failed(batch) : allTaken))
      await bench.delivery.configure([planFor(sink.sink, { batch: smallBatches })])
      const expected = await recordMany(bench, 0, 2000)
      const removed = await bench.usageLog.prune(bench.usageLog.end(), (end) =>
        bench.delivery.beforeRemoval(end),
      )
      assert.ok(removed > 0)
      isDown = false
      await eventually(() => sink.ids().has(idOf(1999)) && sink.arrived.some(({ action }) => isGap(action)))
      const gap = sink.arrived.find(({ action }) => isGap(action))
      assert.deepEqual([gap?.resource?.id, gap?.stream, gap?.severity], ['test', 'access', 'high'])
      const missing = [...expected].filter((id) => !sink.ids().has(id))
      // What was in memory when its place on disk went arrives all the same.
      assert.ok(missing.length > 0 && (gap?.count ?? 0) >= missing.length)
      assert.ok((gap?.count ?? 0) - missing.length <= 16 * smallBatches.events + smallBatches.events)
    },
    { usageSegmentBytes: 100_000 },
  ),
)

const isGap = (action: string): boolean => action === 'events.dropped'

test(
  'a full spool refuses; strangers can fill half of it; once a sink has it, there is room',
  withBench(
    async (bench) => {
      let isDown = true
      const sink = createTestSink((batch) => (isDown ? failed(batch) : allTaken))
      await bench.delivery.configure([planFor(sink.sink)])
      const fill = async (origin: 'own' | 'outside'): Promise<void> => {
        for (let at = 0; at < 500; at += 1) {
          const fault = await bench.spool.append([sampleEvent({ id: `${origin}_${at}` })], origin)
          if (fault === null) expected.add(`${origin}_${at}`)
          else return assert.equal(fault.code, 'storage.unavailable')
        }
        throw new Error('it never was full')
      }
      const expected = new Set<string>()
      await fill('outside')
      const half = bench.spool.bytes
      assert.ok(half <= 20_000, `${half} bytes`)
      await fill('own')
      assert.ok(bench.spool.bytes > 35_000 && bench.spool.bytes <= 40_000, `${bench.spool.bytes} bytes`)
      isDown = false
      await eventually(() => sink.ids().size === expected.size)
      await eventually(() => bench.spool.bytes < 10_000)
      assert.equal(await bench.spool.append([sampleEvent({ id: 'later' })]), null)
      await eventually(() => sink.ids().has('later'))
    },
    { spoolBytes: 40_000 },
  ),
)

test(
  'for a sink that cannot be opened everything is kept, and it is tried again',
  withBench(async (bench) => {
    const sink = createTestSink()
    await bench.delivery.configure([planFor(sink.sink)])
    await bench.delivery.configure([])
    let isBroken = true
    const open = () => {
      if (isBroken) throw new Error('not yet')
      return sink.sink
    }
    await bench.delivery.configure([{ ...planFor(sink.sink), open }])
    const expected = new Set<string>()
    for (let at = 0; at < 50; at += 1) {
      expected.add(`evt_${at}`)
      await bench.spool.append([sampleEvent({ id: `evt_${at}` })])
    }
    await sleep(200)
    assert.match(bench.logged[0] ?? '', /^The sink test cannot be opened/)
    isBroken = false
    await eventually(() => sink.ids().size === expected.size)
  }),
)

let jumpMs = 0

test(
  'a clock that jumps by years, either way, neither loses nor holds up anything',
  withBench(
    async (bench) => {
      const random = seeded(5)
      const sink = createTestSink((batch) => (random() < 0.3 ? failed(batch) : allTaken))
      await bench.delivery.configure([planFor(sink.sink)])
      const expected = new Set<string>()
      for (const [at, years] of [10, -20, 10].entries()) {
        jumpMs += years * 31_536_000_000
        for (const id of await recordMany(bench, at * 100, 100)) expected.add(id)
        await eventually(() => sink.ids().size === expected.size)
      }
      assert.deepEqual(sink.ids(), expected)
    },
    { now: () => Date.now() + jumpMs },
  ),
)

test(
  'a sink that is taken away gets nothing more; under changed settings it goes on where it was',
  withBench(async (bench) => {
    const first = createTestSink()
    await bench.delivery.configure([planFor(first.sink)])
    await recordMany(bench, 0, 10)
    await eventually(() => first.ids().size === 10)
    await bench.delivery.configure([])
    assert.deepEqual(bench.delivery.figures(), [])
    const meanwhile = await recordMany(bench, 100, 10)
    const second = createTestSink()
    await bench.delivery.configure([{ ...planFor(second.sink), settings: 'another' }])
    await eventually(() => second.ids().size === 10)
    assert.deepEqual(second.ids(), meanwhile)
    assert.equal(first.ids().size, 10)
  }),
)
