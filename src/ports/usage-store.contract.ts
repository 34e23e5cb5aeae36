/** What every UsageStore adapter guarantees. `open` gives an empty store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  latencyBoundsMs,
  type UsageDimensions,
  type UsageQuery,
  type UsageRollup,
  type UsageStore,
  usageResolutionMs,
  usageResolutions,
} from './usage-store.ts'

export interface OpenedUsageStore {
  readonly usage: UsageStore
  close(): Promise<void>
}

const minute = 1_700_000_040_000
const { minute: minuteMs, hour: hourMs, day: dayMs } = usageResolutionMs
const midnight = minute - (minute % dayMs)
const dimensions: UsageDimensions = {
  organizationId: 'org_a',
  applicationId: 'app_a',
  keyId: 'key_a',
  operation: 'openai.chat.completions',
  model: 'gpt',
  servedModel: 'gpt-1',
  providerId: 'openai',
  deploymentId: 'dep_a',
  productId: 'prd_a',
  statusClass: 2,
}

function rollup(changes: Partial<UsageDimensions>, at = minute, requests = 1): UsageRollup {
  const latency = new Array<number>(latencyBoundsMs.length + 1).fill(0)
  latency[3] = requests
  return {
    minute: at,
    dimensions: { ...dimensions, ...changes },
    sums: {
      requests,
      errors: 0,
      inputTokens: 10 * requests,
      outputTokens: 2 * requests,
      cachedInputTokens: 1,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      estimated: 0,
      unpriced: 0,
      costMicroUsd: 7 * requests,
      durationMs: 200 * requests,
    },
    latency,
  }
}

const question: UsageQuery = {
  organizationId: 'org_a',
  from: minute,
  to: minute + 3_600_000,
  groupBy: [],
  filter: {},
  intervalMs: null,
  resolution: 'auto',
  limit: 100,
}

export function testUsageStoreContract(open: () => Promise<OpenedUsageStore>): void {
  const check = (name: string, body: (usage: UsageStore) => Promise<void>): void => {
    test(name, async () => {
      const { usage, close } = await open()
      try {
        await body(usage)
      } finally {
        await close()
      }
    })
  }
  const apply = (usage: UsageStore, rollups: readonly UsageRollup[], step: number): Promise<void> =>
    usage.apply({
      cursorName: 'c',
      expected: step === 1 ? null : String(step - 1),
      cursor: String(step),
      rollups,
    })

  check('sums of the same minute and series add up, and the cursor moves with them', async (usage) => {
    assert.equal(await usage.readCursor('c'), null)
    await apply(usage, [rollup({})], 1)
    await apply(usage, [rollup({}, minute, 4)], 2)
    assert.equal(await usage.readCursor('c'), '2')
    const { rows } = await usage.query(question)
    assert.equal(rows.length, 1)
    assert.equal(rows[0]?.sums.requests, 5)
    assert.equal(rows[0]?.sums.inputTokens, 50)
    assert.equal(rows[0]?.sums.costMicroUsd, 35)
    assert.equal(rows[0]?.latency[3], 5)
  })

  check('a batch from a writer that has fallen behind changes nothing', async (usage) => {
    await apply(usage, [rollup({})], 1)
    await assert.rejects(apply(usage, [rollup({})], 1))
    assert.equal((await usage.query(question)).rows[0]?.sums.requests, 1)
  })

  check(
    'a minute and series that come twice in one batch add up; a NUL in a name stops nothing',
    async (usage) => {
      const named = (model: string) => rollup({ model })
      await apply(usage, [named('m'), named('m'), named('a\u0000'), named('a\ufffd')], 1)
      const { rows } = await usage.query({ ...question, groupBy: ['model'] })
      assert.deepEqual(rows.map((row) => [row.group.model, row.sums.requests, row.latency[3]]).toSorted(), [
        ['a\ufffd', 2, 2],
        ['m', 2, 2],
      ])
    },
  )

  check('many series in one batch are stored whole', async (usage) => {
    const rollups = Array.from({ length: 500 }, (_, index) => rollup({ keyId: `key_${index}` }))
    await apply(usage, rollups, 1)
    const { rows } = await usage.query({ ...question, groupBy: ['keyId'], limit: 1000 })
    assert.equal(rows.length, 500)
  })

  check('one organization never sees the usage of another; null sees all', async (usage) => {
    await apply(usage, [rollup({}), rollup({ organizationId: 'org_b' }, minute, 3)], 1)
    assert.equal((await usage.query(question)).rows[0]?.sums.requests, 1)
    const crossing = await usage.query({ ...question, filter: { organizationId: 'org_b' } })
    assert.deepEqual(crossing.rows, [])
    assert.equal((await usage.query({ ...question, organizationId: null })).rows[0]?.sums.requests, 4)
  })

  check('groups, filters and intervals divide the sums without loss', async (usage) => {
    const times = [0, 60_000, 300_000, 360_000]
    await apply(
      usage,
      times.flatMap((offset) => [
        rollup({}, minute + offset),
        rollup({ model: 'other', statusClass: 5 }, minute + offset, 2),
      ]),
      1,
    )
    const grouped = await usage.query({ ...question, groupBy: ['model', 'statusClass'] })
    assert.deepEqual(
      grouped.rows.map((row) => [row.group, row.sums.requests]),
      [
        [{ model: 'other', statusClass: 5 }, 8],
        [{ model: 'gpt', statusClass: 2 }, 4],
      ],
    )
    const filtered = await usage.query({ ...question, filter: { model: 'gpt', statusClass: 2 } })
    assert.equal(filtered.rows[0]?.sums.requests, 4)
    const series = await usage.query({ ...question, intervalMs: 300_000 })
    assert.equal(
      series.rows.reduce((sum, row) => sum + row.sums.requests, 0),
      12,
    )
    assert.ok(series.rows.every((row) => row.time % 300_000 === 0))
    assert.deepEqual(
      series.rows.map((row) => row.time),
      series.rows.map((row) => row.time).toSorted((left, right) => left - right),
    )
    const cut = await usage.query({ ...question, groupBy: ['model'], limit: 1 })
    assert.deepEqual([cut.rows.length, cut.truncated], [1, true])
  })

  check('products are told apart, and a question may be narrowed to groups', async (usage) => {
    const of = (productId: string, model: string, requests: number) =>
      rollup({ productId, model }, minute, requests)
    await apply(usage, [of('prd_a', 'm', 4), of('prd_b', 'm', 3), of('prd_b', 'n', 2), of('', 'n', 1)], 1)
    const shown = async (changes: Partial<UsageQuery>) =>
      (await usage.query({ ...question, ...changes })).rows.map((row) => [
        ...Object.values(row.group),
        row.sums.requests,
      ])
    assert.deepEqual(await shown({ groupBy: ['productId'] }), [
      ['prd_b', 5],
      ['prd_a', 4],
      ['', 1],
    ])
    assert.deepEqual(await shown({ filter: { productId: 'prd_b' } }), [[5]])
    const pairs = { groupBy: ['productId', 'model'] as const, intervalMs: minuteMs }
    const groups = [
      { productId: 'prd_b', model: 'm' },
      { productId: '', model: 'n' },
    ]
    assert.deepEqual(await shown({ ...pairs, groups }), [
      ['m', 'prd_b', 3],
      ['n', '', 1],
    ])
    assert.deepEqual(await shown({ ...pairs, groups: [] }), [])
  })

  check('a time without usage has no rows; text in filters is data', async (usage) => {
    await apply(usage, [rollup({})], 1)
    assert.deepEqual((await usage.query({ ...question, from: 0, to: minute })).rows, [])
    assert.deepEqual((await usage.query({ ...question, filter: { model: `' OR 1=1 --` } })).rows, [])
  })

  check('pruning removes the oldest in bounded steps and leaves the rest', async (usage) => {
    const rollups = Array.from({ length: 10 }, (_, index) => rollup({}, minute + index * dayMs))
    await apply(usage, [...rollups, rollup({ model: 'old' }, minute - dayMs)], 1)
    const span = { from: minute, to: minute + 20 * dayMs, intervalMs: minuteMs }
    const before = minute + 4 * dayMs
    assert.equal(await usage.prune({ resolution: 'minute', before, limit: 3 }), 3)
    assert.equal(await usage.prune({ resolution: 'minute', before, limit: 100 }), 2)
    assert.equal((await usage.query({ ...question, ...span })).rows.length, 6)
    await apply(usage, [rollup({ model: 'old' }, minute + 9 * dayMs)], 2)
    const old = await usage.query({ ...question, ...span, filter: { model: 'old' } })
    assert.equal(old.rows[0]?.sums.requests, 1)
  })

  check('what is no longer kept by the minute is still summed by hour and day', async (usage) => {
    const rollups = Array.from({ length: 48 }, (_, index) => rollup({}, midnight + index * hourMs + minuteMs))
    await apply(usage, rollups, 1)
    const odd = { ...question, from: midnight + 90 * minuteMs, to: midnight + 47 * hourMs + 30 * minuteMs }
    assert.equal((await usage.query(odd)).rows[0]?.sums.requests, 46)
    await usage.prune({ resolution: 'minute', before: midnight + dayMs, limit: 1000 })
    const { from, to, rows } = await usage.query(odd)
    // The first edge widens to the hour, the last one still has its minutes.
    assert.deepEqual([from, to, rows[0]?.sums.requests], [midnight + hourMs, odd.to, 47])
    await usage.prune({ resolution: 'hour', before: midnight + dayMs, limit: 1000 })
    const wider = await usage.query(odd)
    assert.deepEqual([wider.from, wider.to, wider.rows[0]?.sums.requests], [midnight, odd.to, 48])
    await usage.prune({ resolution: 'day', before: midnight + dayMs, limit: 1000 })
    assert.equal((await usage.query(odd)).rows[0]?.sums.requests, 24)
  })

  check('minutes, hours and days hold the same, whatever came in which order', async (usage) => {
    const random = createRandom(20_261_128)
    const rollups: UsageRollup[] = []
    for (let step = 1; step <= 20; step += 1) {
      const batch = Array.from({ length: 15 }, () =>
        rollup({ model: `m${random(3)}` }, midnight + random(4 * 1440) * minuteMs, 1 + random(9)),
      )
      rollups.push(...batch)
      await apply(usage, batch, step)
    }
    const of = (from: number, to: number, model?: string): number =>
      rollups
        .filter((each) => each.minute >= from && each.minute < to)
        .filter((each) => model === undefined || each.dimensions.model === model)
        .reduce((sum, each) => sum + each.sums.requests, 0)
    const whole = { ...question, from: midnight, to: midnight + 4 * dayMs }
    for (const resolution of usageResolutions) {
      const { rows, resolutions } = await usage.query({ ...whole, resolution })
      assert.deepEqual(resolutions, [resolution])
      assert.equal(rows[0]?.sums.requests, of(whole.from, whole.to))
    }
    for (let round = 0; round < 40; round += 1) {
      const from = midnight + random(3 * 1440) * minuteMs
      const to = from + (1 + random(2 * 1440)) * minuteMs
      const answer = await usage.query({ ...question, from, to, groupBy: ['model'] })
      assert.deepEqual([answer.from, answer.to], [from, to])
      for (const { group, sums } of answer.rows) assert.equal(sums.requests, of(from, to, group.model))
      const series = await usage.query({ ...question, from, to, intervalMs: 6 * hourMs })
      for (const { time, sums } of series.rows)
        assert.equal(sums.requests, of(Math.max(time, from), Math.min(time + 6 * hourMs, to)))
      assert.equal(
        series.rows.reduce((sum, row) => sum + row.sums.requests, 0),
        of(from, to),
      )
    }
  })

  check('the coarsest sums that answer exactly are read', async (usage) => {
    await apply(usage, [rollup({}, midnight)], 1)
    const read = async (from: number, to: number, intervalMs: number | null) =>
      (await usage.query({ ...question, from, to, intervalMs })).resolutions
    assert.deepEqual(await read(midnight, midnight + 90 * dayMs, null), ['day'])
    assert.deepEqual(await read(midnight - hourMs, midnight + 90 * dayMs, dayMs), ['hour', 'day'])
    assert.deepEqual(await read(midnight, midnight + 90 * dayMs, hourMs), ['hour'])
    assert.deepEqual(await read(midnight, midnight + dayMs, minuteMs), ['minute'])
    const [from, to] = [midnight + minuteMs, midnight + 3 * dayMs + hourMs]
    assert.deepEqual(await read(from, to, null), ['minute', 'hour', 'day'])
  })
}

/** A small generator, so that a failure comes again: mulberry32. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
