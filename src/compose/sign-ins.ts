/** The throttle of failed sign-ins to the admin API, counted and told. */
import { createMemoryCounterStore } from '../adapters/memory/memory-central-counters.ts'
import { createSignInThrottle, type SignInResult, type SignInThrottle } from '../admin/sign-in-throttle.ts'
import { systemClock } from '../kernel/clock.ts'
import type { CentralCounters } from '../ports/central-counters.ts'
import type { Log } from '../supervisor/log.ts'

/** One counter for each client that failed lately. */
const failures = createMemoryCounterStore({ now: Date.now, ttlMs: 1000, maxCounters: 100_000 })

export function createAttendedThrottle(parts: {
  readonly shared: CentralCounters | null
  readonly attempted: (result: SignInResult) => void
  readonly log: Log
}): SignInThrottle {
  return createSignInThrottle({
    shared: parts.shared,
    local: failures.open('node'),
    clock: systemClock,
    onAttempt: parts.attempted,
    onRefusal(client, seconds) {
      const text = `Sign-ins from ${client} failed too often; it is refused for ${seconds} s.`
      parts.log({ level: 'warn', code: 'admin.sign-ins', text })
    },
  })
}
