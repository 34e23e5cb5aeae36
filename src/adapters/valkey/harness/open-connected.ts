/** For tests: counters on a server, once they are connected. */
import type { CentralCounters } from '../../../ports/central-counters.ts'
import { openValkeyCounters, type ValkeyCountersOptions } from '../open-valkey-counters.ts'

export interface ConnectedCounters {
  readonly counters: CentralCounters
  /** Resolves when the connection is there, now or again. */
  connected(): Promise<void>
  /** Reasons for which it was lost, in order. */
  readonly losses: readonly string[]
}

export async function openConnected(
  url: string,
  own: Partial<ValkeyCountersOptions> = {},
): Promise<ConnectedCounters> {
  let isConnected = false
  const waiting = new Set<() => void>()
  const losses: string[] = []
  const counters = openValkeyCounters({
    url,
    cluster: false,
    extraCertificates: [],
    commandTimeoutMs: 1000,
    node: 'a',
    run: 'one',
    prefix: 'test:',
    ttlMs: 300,
    onState(connected, reason) {
      isConnected = connected
      if (!connected) losses.push(reason)
      else for (const resolve of waiting) resolve()
      if (connected) waiting.clear()
    },
    ...own,
  })
  const connected = (): Promise<void> =>
    isConnected ? Promise.resolve() : new Promise((resolve) => waiting.add(resolve))
  await connected()
  return { counters, connected, losses }
}
