/**
 * The egress guard: name → addresses that the policy admits, or nothing.
 *
 * - Every resolved address is checked; one that is denied denies the name (fail closed), since an attacker who
 *   controls a zone would otherwise mix good with bad addresses.
 * - Results are pinned for their TTL (held between 1 s and 60 s); callers connect to the returned addresses.
 * - Concurrent questions for one name share one look-up. Failures are remembered for 1 s.
 * - Names are resolved by c-ares (`dns.resolve`), not `getaddrinfo`, which would occupy the thread pool that all
 *   threads share; only where private networks are allowed does `getaddrinfo` follow, for /etc/hosts and search
 *   domains. `localhost` never asks anyone (RFC 6761 §6.3).
 *
 * Bounds: 1,024 cached names, least recently stored goes first; 16 addresses a name.
 */
import { Resolver, lookup as systemLookup } from 'node:dns'
import { isIP } from 'node:net'
import type { Clock } from '../kernel/clock.ts'
import { systemClock } from '../kernel/clock.ts'
import type { EgressAddress, EgressDone, EgressFailure, EgressGuard, EgressPolicy } from '../ports/egress.ts'
import { classifyAddress, isAddressAllowed } from './classify-address.ts'

/** One resolved address; `ttl` in seconds. */
export interface DnsRecord {
  readonly address: string
  readonly ttl: number
}
export type DnsDone = (error: Error | null, records: readonly DnsRecord[]) => void

/** What the guard asks of name resolution; tests answer it themselves. */
export interface DnsSource {
  resolve(host: string, family: 4 | 6, done: DnsDone): void
  lookup(host: string, done: DnsDone): void
}

export interface EgressGuardOptions {
  readonly dns?: DnsSource
  readonly clock?: Clock
}

const maxNames = 1024
const maxAddresses = 16
const minTtlMs = 1_000
const maxTtlMs = 60_000
const lookupTtlSeconds = 5
const failureTtlMs = 1_000

interface Entry {
  failure: EgressFailure | null
  addresses: readonly EgressAddress[]
  /** Monotone milliseconds; waiting entries have none. */
  expiresAt: number
  waiting: EgressDone[] | null
}

const none: readonly EgressAddress[] = Object.freeze([])

/** c-ares with bounded patience: 2 tries of 2 s. */
export function systemDns(): DnsSource {
  const resolver = new Resolver({ timeout: 2000, tries: 2 })
  return {
    resolve(host, family, done) {
      const finish = (error: Error | null, records: readonly DnsRecord[] | undefined): void =>
        done(error, records ?? [])
      if (family === 4) resolver.resolve4(host, { ttl: true }, finish)
      else resolver.resolve6(host, { ttl: true }, finish)
    },
    lookup(host, done) {
      systemLookup(host, { all: true, verbatim: true }, (error, found) => {
        done(
          error,
          (found ?? []).map(({ address }) => ({ address, ttl: lookupTtlSeconds })),
        )
      })
    },
  }
}

/** Interleaved by family, v6 first (RFC 8305 §4). */
function ordered(records: readonly DnsRecord[]): readonly EgressAddress[] {
  const v6 = records.filter(({ address }) => isIP(address) === 6)
  const v4 = records.filter(({ address }) => isIP(address) === 4)
  const out: EgressAddress[] = []
  for (let i = 0; i < Math.max(v4.length, v6.length) && out.length < maxAddresses; i += 1) {
    const six = v6[i]
    const four = v4[i]
    if (six !== undefined) out.push({ address: six.address, family: 6 })
    if (four !== undefined) out.push({ address: four.address, family: 4 })
  }
  return out
}

function deniedBy(host: string, records: readonly DnsRecord[], policy: EgressPolicy): EgressFailure | null {
  for (const { address } of records) {
    const addressClass = classifyAddress(address)
    if (!isAddressAllowed(addressClass, policy.allowPrivateNetwork)) {
      return { kind: 'egress-denied', internal: `${host} has an address of class ${addressClass}` }
    }
  }
  return null
}

/** Both families at once; error only when neither answers. */
function resolveBoth(dns: DnsSource, host: string, done: DnsDone): void {
  let open = 2
  let records: readonly DnsRecord[] = []
  let firstError: Error | null = null
  const settle: DnsDone = (error, found) => {
    firstError ??= error
    records = records.concat(found)
    open -= 1
    if (open === 0) done(records.length > 0 ? null : (firstError ?? new Error('no address')), records)
  }
  dns.resolve(host, 4, settle)
  dns.resolve(host, 6, settle)
}

function loopbackRecords(host: string): readonly DnsRecord[] | null {
  if (host !== 'localhost' && !host.endsWith('.localhost')) return null
  return [
    { address: '127.0.0.1', ttl: 60 },
    { address: '::1', ttl: 60 },
  ]
}

export function createEgressGuard(options: EgressGuardOptions = {}): EgressGuard {
  const dns = options.dns ?? systemDns()
  const clock = options.clock ?? systemClock
  const names = new Map<string, Entry>()

  function store(key: string, entry: Entry): void {
    names.delete(key)
    if (names.size >= maxNames) {
      // An entry that is still waiting answers its callers all the same; only the sharing of it ends.
      const oldest = names.keys().next()
      if (oldest.done !== true) names.delete(oldest.value)
    }
    names.set(key, entry)
  }

  function settle(entry: Entry, failure: EgressFailure | null, records: readonly DnsRecord[]): void {
    const ttlMs = records.reduce((least, { ttl }) => Math.min(least, ttl * 1000), maxTtlMs)
    entry.failure = failure
    entry.addresses = failure === null ? ordered(records) : none
    entry.expiresAt = clock.monotonic() + (failure === null ? Math.max(ttlMs, minTtlMs) : failureTtlMs)
    const waiting = entry.waiting ?? []
    entry.waiting = null
    for (const done of waiting) done(entry.failure, entry.addresses)
  }

  function ask(host: string, policy: EgressPolicy, entry: Entry): void {
    const judge = (records: readonly DnsRecord[]): void =>
      settle(entry, deniedBy(host, records, policy), records)
    const fail = (error: Error | null): void =>
      settle(entry, { kind: 'resolve', internal: `${host}: ${errorCode(error)}` }, [])
    resolveBoth(dns, host, (error, records) => {
      if (error === null) judge(records)
      else if (!policy.allowPrivateNetwork) fail(error)
      else
        dns.lookup(host, (lookupError, found) => {
          if (lookupError === null && found.length > 0) judge(found)
          else fail(lookupError)
        })
    })
  }

  return {
    resolve(host, policy, done) {
      const family = isIP(host)
      if (family !== 0) {
        const failure = deniedBy(host, [{ address: host, ttl: 0 }], policy)
        done(failure, failure === null ? [{ address: host, family: family === 4 ? 4 : 6 }] : none)
        return
      }
      const loopback = loopbackRecords(host)
      if (loopback !== null) {
        const failure = deniedBy(host, loopback, policy)
        // v4 first: local model servers commonly listen on 127.0.0.1 alone.
        done(failure, failure === null ? ordered(loopback).toReversed() : none)
        return
      }
      const key = (policy.allowPrivateNetwork ? 'private ' : 'public ') + host
      const known = names.get(key)
      if (known?.waiting) known.waiting.push(done)
      else if (known !== undefined && known.expiresAt > clock.monotonic())
        done(known.failure, known.addresses)
      else {
        const entry: Entry = { failure: null, addresses: none, expiresAt: 0, waiting: [done] }
        store(key, entry)
        ask(host, policy, entry)
      }
    },
  }
}

function errorCode(error: Error | null): string {
  return error !== null && 'code' in error && typeof error.code === 'string' ? error.code : 'no address'
}
