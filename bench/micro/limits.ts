/**
 * Microseconds of one check of four dimensions, and memory of 100,000 active counters. Run: node bench/micro/limits.ts
 * Exits 1 where a check takes more than 2 µs or the counters more than 64 MB.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createMemoryCounterStore } from '../../src/adapters/memory/memory-central-counters.ts'
import { defaultCounterSizes } from '../../src/adapters/shared-counters/layout.ts'
import {
  createSharedCounters,
  openSharedCounters,
} from '../../src/adapters/shared-counters/shared-counters.ts'
import type { LimitMeter, LimitRule, LimitSubject, LimitWindow } from '../../src/domain/limits.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { createTimerWheel } from '../../src/kernel/timer-wheel.ts'
import { compileLimits, createLimiter, type Limiter, type LimitRequest } from '../../src/limits/index.ts'

const maxMicroseconds = 2
const maxBytes = 64e6
const activeCounters = 100_000
const rounds = 200_000

const minute: LimitWindow = { kind: 'rolling', ms: 60_000, burst: null }
const month: LimitWindow = { kind: 'calendar', period: 'month', timeZone: 'Europe/Berlin' }

function ruleOf(meter: LimitMeter, window: LimitWindow | null, per: readonly LimitSubject[]): LimitRule {
  return {
    id: `ltm_${meter}`.padEnd(26, 'x'),
    organizationId: 'org_3fQ8wLx0P2kT7mYb9cVd1e',
    name: meter,
    meter,
    amount: 1e12,
    window,
    per,
    mode: 'enforce',
    whenExceeded: 'refuse',
    onStoreLoss: 'local-share',
    alertsAt: [],
    match: { applications: null, teams: null, keys: null, users: null, models: null, products: null },
  }
}

const rules = [
  ruleOf('requests', minute, ['key']),
  ruleOf('total-tokens', minute, ['application', 'model']),
  ruleOf('cost', month, ['organization']),
  ruleOf('concurrent-requests', null, ['key']),
]

function requestOf(key: number): LimitRequest {
  return {
    organizationId: 'org_3fQ8wLx0P2kT7mYb9cVd1e',
    applicationId: `app_${key % 100}`,
    team: 'search',
    keyId: `key_${key}`,
    user: `user-${key}`,
    address: '192.0.2.7',
    model: 'gpt-5-mini',
    route: 'gpt-5-mini',
    productId: '',
    planId: '',
    inputTokens: 400,
    outputTokens: 1000,
    costMicroUsd: 900,
    streamed: false,
  }
}

const memory = createSharedCounters({ ...defaultCounterSizes, owners: 4 })
const counters = openSharedCounters(memory, 0)
const timers = createTimerWheel()
const shared = { counters, rateCounters: null, clock: systemClock, timers }
const limiter = createLimiter({ ...shared, calendarCounters: null })
/** What a counter costs that is asked for too rarely to have an allotment. */
const singlyLimiter = createLimiter({
  ...shared,
  calendarCounters: null,
  hotFrom: Number.POSITIVE_INFINITY,
})
/** As in the product, where budgets of the calendar are leased from the database. */
const leasingLimiter = createLimiter({
  ...shared,
  calendarCounters: createMemoryCounterStore({ now: systemClock.now, ttlMs: 60_000 }).open('node'),
})
const actual = { inputTokens: 400, outputTokens: 300, costMicroUsd: 350 }

/** Admit and settle `rounds` exchanges of a thousand keys; microseconds each for both. */
function run(limiter: Limiter): { readonly admit: number; readonly both: number } {
  const limits = compileLimits(rules, [], [])
  const requests = Array.from({ length: 1000 }, (_, key) => requestOf(key))
  let admitted = 0
  let admitMs = 0
  const started = performance.now()
  for (let round = 0; round < rounds; round += requests.length) {
    const settles: (() => void)[] = []
    const from = performance.now()
    for (const request of requests) {
      limiter.admit(limits, request, (verdict) => {
        if (!verdict.allowed) return
        admitted += 1
        settles.push(() => verdict.reservation.settle(actual))
      })
    }
    admitMs += performance.now() - from
    for (const settle of settles) settle()
  }
  const bothMs = performance.now() - started
  if (admitted !== rounds) throw new Error('not all were admitted')
  return { admit: (admitMs * 1000) / rounds, both: (bothMs * 1000) / rounds }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of the heap that this thread keeps of 100,000 users' counters. */
function fill(): number {
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  const limits = compileLimits([ruleOf('cost', month, ['user'])], [], [])
  let refused = 0
  for (let user = 0; user < activeCounters; user += 1) {
    limiter.admit(limits, requestOf(user), (verdict) => {
      if (verdict.allowed) verdict.reservation.settle(actual)
      else refused += 1
    })
  }
  if (refused > 0) throw new Error(`${refused} found no slot`)
  collectGarbage()
  const kept = process.memoryUsage().heapUsed - before
  // Used once more, so that the rules and what they remember are still there to be measured.
  return limits.ruleCount > 0 ? Math.max(0, kept) : 0
}

/** Of five runs the middle one. */
function measure(limiter: Limiter): ReturnType<typeof run> {
  run(limiter)
  const runs = [run(limiter), run(limiter), run(limiter), run(limiter), run(limiter)]
  const middle = runs.sort((a, b) => a.admit - b.admit)[2]
  if (middle === undefined) throw new Error('nothing was measured')
  return middle
}

const middle = measure(limiter)
const singly = measure(singlyLimiter)
// The first asks for its own units, the next for a lease of 2 %, from which all runs are spent.
for (let first = 0; first < 2; first += 1) {
  await new Promise((resolve) => leasingLimiter.admit(compileLimits(rules, [], []), requestOf(0), resolve))
}
const leased = measure(leasingLimiter)
timers.stop()
const totalBytes = memory.byteLength + fill()
const figures = {
  bench: 'limits',
  checkMicroseconds: Math.round(middle.admit * 1000) / 1000,
  checkAndSettleMicroseconds: Math.round(middle.both * 1000) / 1000,
  singlyCheckMicroseconds: Math.round(singly.admit * 1000) / 1000,
  leasedCheckMicroseconds: Math.round(leased.admit * 1000) / 1000,
  leasedCheckAndSettleMicroseconds: Math.round(leased.both * 1000) / 1000,
  counters: counters.table.slotsUsed,
  /** Shared by all threads. */
  reservedMegabytes: memory.byteLength / 1e6,
  /** With what this thread remembers. */
  totalMegabytes: Math.round(totalBytes / 1e5) / 10,
}
process.stdout.write(`${JSON.stringify(figures)}\n`)
if (middle.admit > maxMicroseconds || leased.admit > maxMicroseconds || totalBytes > maxBytes)
  process.exitCode = 1
