/**
 * Keys of all issuers, fetched by the control plane, once for all workers of the node.
 *
 *   refreshed when `Cache-Control` says so, at least every 24 h and at most every 30 s (5 min where it says nothing)
 *   a key that is not known: one fetch for all who ask, and none for 30 s after (callers choose the key ids, and must
 *     not be able to make the gateway call an issuer more often)
 *   an issuer that does not answer: the last good set for 24 h more, and new attempts 5 s to 10 min apart
 *
 * Only addresses of the row, and of the metadata that the issuer publishes under its own name, are called.
 */
import { isJsonObject } from '../../domain/json.ts'
import type { IssuerKeys, PublicJwk, TokenIssuerSnapshot } from '../../domain/token-issuer.ts'
import type { UpstreamClient } from '../../ports/upstream-client.ts'
import { type DocumentAnswer, fetchDocument } from './fetch-document.ts'
import { readKeySet } from './key-set.ts'

const leastAgeMs = 30_000
const mostAgeMs = 86_400_000
const defaultAgeMs = 300_000
const staleMs = 86_400_000
const cooldownMs = 30_000
const firstRetryMs = 5000
const lastRetryMs = 600_000

export interface KeyStatus {
  /** Unix milliseconds of the last good fetch; null: there was none. */
  readonly fetchedAt: number | null
  readonly keyIds: readonly string[]
  /** Why the last fetch gave nothing; null: it did. */
  readonly problem: string | null
}

export interface KeyDeskParts {
  readonly client: UpstreamClient
  readonly now: () => number
  /** A set was fetched. */
  readonly onKeys: (keys: IssuerKeys) => void
  /** Names the issuer and what is wrong; no secret. */
  readonly log: (text: string) => void
}

type Asked = (keys: IssuerKeys | null) => void

interface Place {
  issuer: TokenIssuerSnapshot
  keys: IssuerKeys | null
  fetchedAt: number | null
  attemptAt: number
  failures: number
  problem: string | null
  /** Who waits for the fetch under way; null: none is. */
  waiting: Asked[] | null
  timer: NodeJS.Timeout | null
}

/** `max-age` within our bounds (RFC 9111 §5.2.2.1). */
export function ageOf(headers: readonly string[]): number {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name === 'cache-control')
  const found = at < 0 ? null : /(?:^|[\s,])max-age="?([0-9]{1,9})/i.exec(headers[at + 1] ?? '')
  const age = found === null ? defaultAgeMs : Number(found[1]) * 1000
  return Math.min(mostAgeMs, Math.max(leastAgeMs, age))
}

/** Where an issuer may publish its metadata: OpenID Connect Discovery §4.1, RFC 8414 §3.1. */
export function metadataUrls(issuer: string): readonly string[] {
  const bare = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
  const slash = bare.indexOf('/', bare.indexOf('://') + 3)
  const origin = slash < 0 ? bare : bare.slice(0, slash)
  const path = bare.slice(origin.length)
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ]
}

function jwksUriOf(text: string, issuer: string): string | null {
  try {
    const metadata: unknown = JSON.parse(text)
    // RFC 8414 §3.3: metadata of another name is nobody's.
    if (!isJsonObject(metadata) || metadata['issuer'] !== issuer) return null
    const { jwks_uri: uri } = metadata
    return typeof uri === 'string' ? uri : null
  } catch {
    return null
  }
}

function sameSource(one: TokenIssuerSnapshot, other: TokenIssuerSnapshot): boolean {
  return (
    one.issuer === other.issuer &&
    one.terms.jwksUri === other.terms.jwksUri &&
    one.terms.allowPrivateNetwork === other.terms.allowPrivateNetwork
  )
}

export class KeyDesk {
  readonly #parts: KeyDeskParts
  readonly #places = new Map<string, Place>()

  constructor(parts: KeyDeskParts) {
    this.#parts = parts
  }

  /** The issuers of the configuration in force. Keys of a new one, or from a new address, are fetched at once. */
  configure(issuers: readonly TokenIssuerSnapshot[]): void {
    const wanted = new Map(
      issuers.filter(({ terms }) => terms.verification === 'jwks').map((row) => [row.id, row]),
    )
    for (const [id, place] of this.#places) {
      const row = wanted.get(id)
      if (row !== undefined && sameSource(row, place.issuer)) place.issuer = row
      else this.#close(id, place)
    }
    for (const [id, issuer] of wanted) {
      if (this.#places.has(id)) continue
      const place = emptyPlace(issuer)
      this.#places.set(id, place)
      this.#fetch(place)
    }
  }

  /** `done` gets the newest set, after a fetch where one may be made now; null: there is no good set. */
  ask(issuerId: string, done: Asked): void {
    const place = this.#places.get(issuerId)
    if (place === undefined) return done(null)
    if (place.waiting !== null) {
      place.waiting.push(done)
      return
    }
    const pause = place.keys === null ? firstRetryMs : cooldownMs
    if (this.#parts.now() - place.attemptAt < pause) return done(this.#good(place))
    this.#fetch(place, done)
  }

  status(issuerId: string): KeyStatus | null {
    const place = this.#places.get(issuerId)
    if (place === undefined) return null
    const { fetchedAt, problem, keys } = place
    return { fetchedAt, problem, keyIds: keys?.keys.map(({ kid = '' }) => kid) ?? [] }
  }

  close(): void {
    for (const [id, place] of this.#places) this.#close(id, place)
  }

  #close(id: string, place: Place): void {
    this.#places.delete(id)
    if (place.timer !== null) clearTimeout(place.timer)
    for (const done of place.waiting ?? []) done(null)
    place.waiting = null
  }

  #good({ keys }: Place): IssuerKeys | null {
    return keys !== null && keys.goodUntil > this.#parts.now() ? keys : null
  }

  #fetch(place: Place, done?: Asked): void {
    if (place.waiting !== null) return
    place.waiting = done === undefined ? [] : [done]
    place.attemptAt = this.#parts.now()
    if (place.timer !== null) clearTimeout(place.timer)
    const { terms, issuer } = place.issuer
    if (terms.jwksUri !== null) return this.#fetchKeys(place, terms.jwksUri)
    this.#discover(place, metadataUrls(issuer))
  }

  #discover(place: Place, [url, ...others]: readonly string[]): void {
    const { terms, issuer } = place.issuer
    if (url === undefined) return this.#failed(place, 'its metadata cannot be read')
    fetchDocument(this.#parts.client, { url, allowPrivateNetwork: terms.allowPrivateNetwork }, (answer) => {
      const uri = answer.status === 200 ? jwksUriOf(answer.text, issuer) : null
      if (uri !== null) return this.#fetchKeys(place, uri)
      if (answer.status === null && others.length === 0) return this.#failed(place, answer.reason)
      this.#discover(place, others)
    })
  }

  #fetchKeys(place: Place, url: string): void {
    const { allowPrivateNetwork } = place.issuer.terms
    fetchDocument(this.#parts.client, { url, allowPrivateNetwork }, (answer) => {
      const keys = keysOf(answer)
      if (typeof keys === 'string' || answer.status === null) return this.#failed(place, String(keys))
      const now = this.#parts.now()
      const age = ageOf(answer.headers)
      place.failures = 0
      place.problem = null
      place.fetchedAt = now
      place.keys = { issuerId: place.issuer.id, keys, goodUntil: now + age + staleMs }
      if (this.#places.get(place.issuer.id) === place) this.#parts.onKeys(place.keys)
      this.#settle(place, age)
    })
  }

  #failed(place: Place, problem: string): void {
    if (place.problem !== problem)
      this.#parts.log(`The keys of ${place.issuer.name} were not fetched: ${problem}.`)
    place.problem = problem
    place.failures += 1
    this.#settle(place, Math.min(lastRetryMs, firstRetryMs * 2 ** (place.failures - 1)))
  }

  #settle(place: Place, nextMs: number): void {
    const waiting = place.waiting ?? []
    place.waiting = null
    if (this.#places.get(place.issuer.id) === place) {
      place.timer = setTimeout(() => this.#fetch(place), nextMs)
      place.timer.unref()
    }
    for (const done of waiting) done(this.#good(place))
  }
}

function emptyPlace(issuer: TokenIssuerSnapshot): Place {
  return {
    issuer,
    keys: null,
    fetchedAt: null,
    attemptAt: 0,
    failures: 0,
    problem: null,
    waiting: null,
    timer: null,
  }
}

/** An empty set is no good one: an issuer that withdraws a key publishes another. */
function keysOf(answer: DocumentAnswer): readonly PublicJwk[] | string {
  if (answer.status === null) return answer.reason
  if (answer.status !== 200) return `the answer was ${answer.status}`
  const keys = readKeySet(answer.text)
  if (keys === null) return 'the answer is no key set'
  return keys.length === 0 ? 'no key in the set can be used' : keys
}
