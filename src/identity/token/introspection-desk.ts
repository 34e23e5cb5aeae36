/**
 * Opaque tokens: their issuer is asked (RFC 7662), by the control plane, which alone holds the client's secret. One
 * call for all who ask about a token; a good answer is believed until the token ends, at most as long as the row says,
 * a bad one for 10 s. An issuer that does not answer proves nothing: the token is not taken.
 * Bounds: `maxAnswers` remembered, `maxCalls` under way per issuer; after a failure none for 1 s.
 */
import { hash } from 'node:crypto'
import { isJsonObject, type JsonObject } from '../../domain/json.ts'
import type { TokenIssuerSnapshot } from '../../domain/token-issuer.ts'
import type { UpstreamClient } from '../../ports/upstream-client.ts'
import { type DocumentAnswer, fetchDocument } from './fetch-document.ts'
import type { IntrospectionAnswer } from './token-line.ts'

const maxAnswers = 20_000
const maxCalls = 64
const inactiveMs = 10_000
const pauseMs = 1000
/** Of characters that no token has (RFC 6750 §2.1) none is passed on. */
const tokenShape = /^[\x21-\x7e]{1,8192}$/

export interface IntrospectionDeskParts {
  readonly client: UpstreamClient
  readonly now: () => number
  /** The client's secret at the issuer; null: it cannot be read. */
  readonly secretOf: (issuerId: string) => Promise<string | null>
  readonly log: (text: string) => void
}

type Asked = (answer: IntrospectionAnswer) => void

interface Place {
  issuer: TokenIssuerSnapshot
  calls: number
  pausedUntil: number
}

interface Remembered {
  readonly issuerId: string
  readonly answer: IntrospectionAnswer
  readonly until: number
}

export class IntrospectionDesk {
  readonly #parts: IntrospectionDeskParts
  readonly #places = new Map<string, Place>()
  readonly #answers = new Map<string, Remembered>()
  readonly #waiting = new Map<string, Asked[]>()

  constructor(parts: IntrospectionDeskParts) {
    this.#parts = parts
  }

  configure(issuers: readonly TokenIssuerSnapshot[]): void {
    const wanted = new Map(issuers.map((row) => [row.id, row]))
    for (const [id, place] of this.#places) {
      const row = wanted.get(id)
      if (JSON.stringify(row) !== JSON.stringify(place.issuer)) this.forget(id)
      if (row === undefined) this.#places.delete(id)
      else place.issuer = row
    }
    for (const [id, issuer] of wanted) {
      if (issuer.terms.introspection === null || this.#places.has(id)) continue
      this.#places.set(id, { issuer, calls: 0, pausedUntil: 0 })
    }
  }

  /** What is remembered of the issuer's tokens: a revocation, or another row, makes each be asked about anew. */
  forget(issuerId: string): void {
    for (const [key, remembered] of this.#answers)
      if (remembered.issuerId === issuerId) this.#answers.delete(key)
  }

  /** `done` is called exactly once. */
  ask(issuerId: string, token: string, done: Asked): void {
    const place = this.#places.get(issuerId)
    if (place === undefined) return done({ kind: 'unavailable' })
    if (!tokenShape.test(token)) return done({ kind: 'inactive' })
    const now = this.#parts.now()
    const key = hash('sha256', `${issuerId} ${token}`, 'base64')
    const known = this.#answers.get(key)
    if (known !== undefined && known.until > now) return done(known.answer)
    const waiting = this.#waiting.get(key)
    if (waiting !== undefined) {
      waiting.push(done)
      return
    }
    if (place.calls >= maxCalls || place.pausedUntil > now) return done({ kind: 'unavailable' })
    this.#waiting.set(key, [done])
    place.calls += 1
    void this.#call(place, token).then((answer) => {
      place.calls -= 1
      if (answer.kind === 'unavailable') place.pausedUntil = this.#parts.now() + pauseMs
      else this.#remember(key, place, answer)
      const all = this.#waiting.get(key) ?? []
      this.#waiting.delete(key)
      for (const each of all) each(answer)
    })
  }

  #remember(key: string, { issuer }: Place, answer: IntrospectionAnswer): void {
    const until = answer.kind === 'active' ? answer.believedUntil : this.#parts.now() + inactiveMs
    this.#answers.delete(key)
    this.#answers.set(key, { issuerId: issuer.id, answer, until })
    if (this.#answers.size <= maxAnswers) return
    for (const oldest of this.#answers.keys()) {
      this.#answers.delete(oldest)
      break
    }
  }

  async #call({ issuer }: Place, token: string): Promise<IntrospectionAnswer> {
    const { introspection, allowPrivateNetwork } = issuer.terms
    const secret = await this.#parts.secretOf(issuer.id).catch(() => null)
    if (introspection === null || secret === null) {
      this.#parts.log(`Tokens of ${issuer.name} cannot be checked: the client's secret cannot be read.`)
      return { kind: 'unavailable' }
    }
    // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
    const pair = [introspection.clientId, secret].map(formEncode).join(':')
    const form = {
      body: `token=${formEncode(token)}&token_type_hint=access_token`,
      authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
    }
    const answer = await new Promise<DocumentAnswer>((resolve) =>
      fetchDocument(this.#parts.client, { url: introspection.endpoint, allowPrivateNetwork, form }, resolve),
    )
    const claims = claimsOf(answer)
    if (typeof claims === 'string') {
      this.#parts.log(`Tokens of ${issuer.name} cannot be checked: ${claims}.`)
      return { kind: 'unavailable' }
    }
    return judgeAnswer(claims, issuer, this.#parts.now())
  }
}

function formEncode(text: string): string {
  return new URLSearchParams({ t: text }).toString().slice(2)
}

function claimsOf(answer: DocumentAnswer): JsonObject | string {
  if (answer.status === null) return answer.reason
  if (answer.status !== 200) return `its issuer answered ${answer.status}`
  try {
    const claims: unknown = JSON.parse(answer.text)
    return isJsonObject(claims) && typeof claims['active'] === 'boolean'
      ? claims
      : 'its issuer gave no answer of introspection'
  } catch {
    return 'its issuer gave no answer of introspection'
  }
}

/** An answer that does not say when the token ends is believed as long as the row lets it. */
function judgeAnswer(
  claims: JsonObject,
  { issuer, terms }: TokenIssuerSnapshot,
  now: number,
): IntrospectionAnswer {
  const { exp, iss } = claims
  if (claims['active'] !== true || (iss !== undefined && iss !== issuer)) return { kind: 'inactive' }
  const most = now + (terms.introspection?.cacheSeconds ?? 0) * 1000
  const end = typeof exp === 'number' ? exp * 1000 : most
  return {
    kind: 'active',
    claims: exp === undefined ? { ...claims, exp: Math.ceil(most / 1000) } : claims,
    believedUntil: Math.min(end, most),
  }
}
