/** What a limit over many nodes costs a request: admissions from leases out of a real store, beside counters of one node. */

import { setTimeout as sleep } from 'node:timers/promises'
import { percentile, rounded } from '../../bench/load/statistics.ts'
import {
  createSharedCounters,
  openSharedCounters,
} from '../../src/adapters/shared-counters/shared-counters.ts'
import { openValkeyCounters } from '../../src/adapters/valkey/open-valkey-counters.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { createTimerWheel } from '../../src/kernel/timer-wheel.ts'
import { compileLimits, createLeaseKeeper, createLimiter } from '../../src/limits/index.ts'
import type { CentralCounters } from '../../src/ports/central-counters.ts'
import { startValkey } from '../../test/fixtures/valkey/valkey-server.ts'
import { requestOfFleet } from '../../test/limits/fleet-request.ts'
import { ruleOf } from '../../test/limits/limit-fleet.ts'
import { atMost, type ProofOptions, type ProofRow } from './slice.ts'

const perSecond = 2000
const stepMs = 5
const rule = ruleOf({
  id: 'lim_leased',
  amount: 10 * perSecond,
  window: { kind: 'rolling', ms: 1000, burst: 10 * perSecond },
})

interface Admissions {
  readonly p99Microseconds: number
  /** Verdicts that did not come in the tick of the question: they waited for the store. */
  readonly waited: number
  readonly total: number
}

async function admitAll(rateCounters: CentralCounters | null, forMs: number): Promise<Admissions> {
  const counters = openSharedCounters(createSharedCounters({ slots: 2048, tickets: 1024, owners: 1 }), 0)
  const timers = createTimerWheel()
  const shared = { counters, calendarCounters: null, rateCounters, clock: systemClock, timers }
  const keeper = createLeaseKeeper(shared)
  const limiter = createLimiter(shared)
  const limits = compileLimits([rule], [], [])
  const request = requestOfFleet(rule)
  const tookMs: number[] = []
  let waited = 0
  const admit = (): Promise<void> =>
    new Promise((resolve) => {
      const from = performance.now()
      let isSameTick = true
      limiter.admit(limits, request, (verdict) => {
        if (!verdict.allowed) throw new Error('a request within its limit was refused')
        tookMs.push(performance.now() - from)
        if (!isSameTick) waited += 1
        verdict.reservation.settle({ inputTokens: 0, outputTokens: 0, costMicroUsd: 0 })
        resolve()
      })
      isSameTick = false
    })
  const started = performance.now()
  const underWay: Promise<void>[] = []
  while (performance.now() - started < forMs) {
    for (const due = ((performance.now() - started) * perSecond) / 1000; underWay.length < due; ) {
      underWay.push(admit())
    }
    await sleep(stepMs)
  }
  await Promise.all(underWay)
  await keeper.close()
  timers.stop()
  return { p99Microseconds: percentile(tookMs, 0.99) * 1000, waited, total: tookMs.length }
}

export async function proveLeases({ quick }: ProofOptions): Promise<readonly ProofRow[]> {
  const forMs = quick ? 2000 : 10_000
  const server = await startValkey()
  let connected: () => void = () => undefined
  const isConnected = new Promise<void>((resolve) => {
    connected = resolve
  })
  const valkey = openValkeyCounters({
    url: server.url,
    cluster: false,
    extraCertificates: [],
    commandTimeoutMs: 1000,
    node: 'one',
    run: 'run',
    prefix: 'leased:',
    ttlMs: 10_000,
    onState: connected,
  })
  await isConnected
  const local = await admitAll(null, forMs)
  const leased = await admitAll(valkey, forMs)
  await valkey.close()
  await server.stop()
  const reported = (claim: string, { p99Microseconds }: Admissions): ProofRow => ({
    claim,
    target: '',
    measured: rounded(p99Microseconds),
    unit: 'µs',
    ok: null,
  })
  const waited: ProofRow = {
    claim: `admissions of ${leased.total} that waited for a round trip to Redis`,
    target: '',
    measured: leased.waited,
    unit: '',
    ok: null,
  }
  return [
    waited,
    atMost('round trips that leased limits add at p99', leased.waited > leased.total / 100 ? 1 : 0, {
      limit: 0,
      unit: '',
    }),
    reported('p99 of one admission, limit of one node', local),
    reported('p99 of one admission, leased from Redis', leased),
  ]
}
