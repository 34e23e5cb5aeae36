/** What the admin API is asked and denies, counted; and the throttle of failed sign-ins to it, counted and told. */
import { createMemoryCounterStore } from '../adapters/memory/memory-central-counters.ts'
import { createSignInThrottle, type SignInThrottle } from '../admin/sign-in-throttle.ts'
import { systemClock } from '../kernel/clock.ts'
import type { CentralCounters } from '../ports/central-counters.ts'
import type { Log } from '../supervisor/log.ts'
import { type MetricWriter, metrics } from '../telemetry/index.ts'

/** One counter for each client that failed lately. */
const failures = createMemoryCounterStore({ now: Date.now, ttlMs: 1000, maxCounters: 100_000 })

function countAttempt(writer: MetricWriter, result: string): void {
  writer.add(writer.bind(metrics.authAttempts, ['admin_secret', result]), 1)
}

/** What of a request to the admin API was missing, and is no sign-in that failed. */
export function createDenialCounter(writer: MetricWriter): (lacks: 'token' | 'scope') => void {
  return (lacks) => {
    if (lacks === 'token') countAttempt(writer, 'missing_credential')
    else writer.add(writer.bind(metrics.authzDecisions, ['scope', 'deny']), 1)
  }
}

export function createAttendedThrottle(parts: {
  readonly shared: CentralCounters | null
  readonly writer: MetricWriter
  readonly log: Log
}): SignInThrottle {
  return createSignInThrottle({
    shared: parts.shared,
    local: failures.open('node'),
    clock: systemClock,
    onAttempt: (result) => countAttempt(parts.writer, result),
    onRefusal(client, seconds) {
      const text = `Sign-ins from ${client} failed too often; it is refused for ${seconds} s.`
      parts.log({ level: 'warn', code: 'admin.sign-ins', text })
    },
  })
}

/** Administration is rare beside what it costs: the cell is looked up anew. */
export function countAnswers(writer: MetricWriter): (operation: string, status: number) => void {
  return (operation, status) => writer.add(writer.bind(metrics.adminRequests, [operation, String(status)]), 1)
}
