/** What every UsageStore adapter guarantees. `open` gives an empty store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  latencyBoundsMs,
  type UsageDimensions,
  type UsageQuery,
  type UsageRollup,
  type UsageStore,
} from './usage-store.ts'

export interface OpenedUsageStore {
  readonly usage: UsageStore
  close(): Promise<void>
}

const minute = 1_700_000_040_000
const dimensions: UsageDimensions = {
  organizationId: 'org_a',
  applicationId: 'app_a',
  keyId: 'key_a',
  operation: 'openai.chat.completions',
  model: 'gpt',
  servedModel: 'gpt-1',
  providerId: 'openai',
  deploymentId: 'dep_a',
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

  check('a time without usage has no rows; text in filters is data', async (usage) => {
    await apply(usage, [rollup({})], 1)
    assert.deepEqual((await usage.query({ ...question, from: 0, to: minute })).rows, [])
    assert.deepEqual((await usage.query({ ...question, filter: { model: `' OR 1=1 --` } })).rows, [])
  })

  check('pruning removes the oldest in bounded steps and leaves the rest', async (usage) => {
    const rollups = Array.from({ length: 10 }, (_, index) => rollup({}, minute + index * 60_000))
    await apply(usage, [...rollups, rollup({ model: 'old' }, minute - 60_000)], 1)
    assert.equal(await usage.prune(minute + 240_000, 3), 3)
    assert.equal(await usage.prune(minute + 240_000, 100), 2)
    assert.equal((await usage.query(question)).rows[0]?.sums.requests, 6)
    await apply(usage, [rollup({ model: 'old' }, minute + 540_000)], 2)
    assert.equal((await usage.query({ ...question, filter: { model: 'old' } })).rows[0]?.sums.requests, 1)
  })
}
