/**
 * Who guesses keys. Wrong keys are counted by client (an IPv4 address or the /64 of an IPv6 address), never by key: so
 * whoever guesses at a key locks out themselves and not its owner. A client that was wrong too often is refused before
 * anything is reckoned; a text that was wrong already is refused again without being reckoned or counted, so that a
 * program with an old key does not lock out its neighbours. What was right lately passes in front of all this.
 *
 *   checksum ─▶ was right lately? ─yes─▶ in     no ─▶ refused client? ─▶ known to be wrong? ─▶ HMAC
 *
 * Finding the record of a key is one look into this worker's own memory, which costs less than any cache in front of
 * it would; nothing is asked of a store for a key, right or wrong.
 * Bounds: `maxClients` and `maxTexts`, the oldest goes; texts are kept as digests.
 */
import { faults } from '../faults/catalogue.ts'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/fault.ts'
import { addressBlock } from '../kernel/ip-address.ts'

const minuteMs = 60_000
const maxClients = 10_000
const maxTexts = 4096

export interface WrongKey {
  readonly address: string
  /** Of the text. */
  readonly digest: string
  /** Failures of one client in a minute; 0: no bound. */
  readonly perMinute: number
}

export class WrongKeys {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** Client → when all its failures are forgiven, monotone milliseconds (GCRA). */
  readonly #clients = new Map<string, number>()
  readonly #texts = new Set<string>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** Before a text is reckoned that was not right lately. @throws Fault 429, 401 */
  admit({ address, digest, perMinute }: WrongKey): void {
    if (this.#clients.size > 0 && perMinute > 0) {
      const waitMs = this.#waitOf(addressBlock(address), perMinute)
      if (waitMs > 0) {
        const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
        throw new Fault(faults.tooManyWrongKeys, { retryAfterSeconds })
      }
    }
    if (this.#texts.has(digest)) throw new Fault(faults.invalidKey)
  }

  /** It was wrong. */
  add({ address, digest, perMinute }: WrongKey): void {
    makeRoom(this.#texts, maxTexts)
    this.#texts.add(digest)
    if (perMinute === 0) return
    const client = addressBlock(address)
    const now = this.#clock.monotonic()
    const forgivenAt = Math.max(this.#clients.get(client) ?? now, now) + minuteMs / perMinute
    this.#clients.delete(client)
    makeRoom(this.#clients, maxClients)
    this.#clients.set(client, forgivenAt)
  }

  /** Keys or peppers have changed: what was wrong may be right now. */
  forgetTexts(): void {
    this.#texts.clear()
  }

  #waitOf(client: string, perMinute: number): number {
    const forgivenAt = this.#clients.get(client)
    if (forgivenAt === undefined) return 0
    const left = forgivenAt - this.#clock.monotonic()
    if (left <= 0) this.#clients.delete(client)
    // One more fits once a failure's share of the minute is over.
    return left + minuteMs / perMinute - minuteMs
  }
}

function makeRoom(
  kept: { readonly size: number; keys(): Iterator<string>; delete(key: string): boolean },
  most: number,
): void {
  if (kept.size < most) return
  const first = kept.keys().next()
  if (first.done !== true) kept.delete(first.value)
}
