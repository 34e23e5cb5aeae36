/**
 * Cold verification: a token that this worker has no verdict on. Signed tokens are checked here with the keys that
 * the control plane sent; where a key is missing, and for opaque tokens, the control plane is asked. Concurrent
 * requests with one token are one verification, and those that miss a key of one issuer are one question.
 */
import type { IssuerKeys, RevocationSnapshot } from '../../domain/token-issuer.ts'
import {
  type CompiledIssuer,
  type CompiledIssuers,
  compileKeySet,
  createRevocations,
  hasAudience,
  hasType,
  type Jws,
  judgeClaims,
  type KeySet,
  pinnedAlgorithm,
  readJws,
  refuseToken,
  type SigningKey,
  type TokenFacts,
  type TokenLine,
  type TokenRefusal,
  verifyJws,
} from '../../identity/index.ts'

export interface ProvenToken {
  readonly issuer: CompiledIssuer
  readonly facts: TokenFacts
  readonly signedBy: string | null
  readonly believedUntil: number
}

/** A refusal says by whose row, where one is known; unavailable: it cannot be known now. */
export type TokenVerdict =
  | { readonly kind: 'proven'; readonly token: ProvenToken }
  | { readonly kind: 'refused'; readonly refusal: TokenRefusal; readonly issuer: CompiledIssuer | null }
  | { readonly kind: 'unavailable' }

type Done = (verdict: TokenVerdict) => void

/** After an answer without the key, the control plane is not asked again for so long: its own cooldown, or more. */
const quietMs = 30_000
const unknownKey = 'it is signed by a key that its issuer does not publish'

export interface JudgeParts {
  readonly line: TokenLine
  /** Unix milliseconds. */
  readonly now: () => number
}

export class TokenJudge {
  readonly revocations = createRevocations()
  readonly #line: TokenLine
  readonly #now: () => number
  readonly #keySets = new Map<string, KeySet>()
  readonly #asking = new Map<string, (() => void)[]>()
  readonly #quietUntil = new Map<string, number>()
  readonly #unreachable = new Set<string>()
  readonly #pending = new Map<string, Done[]>()

  constructor({ line, now }: JudgeParts) {
    this.#line = line
    this.#now = now
  }

  takeKeys(keys: IssuerKeys): KeySet {
    const compiled = compileKeySet(keys)
    this.#keySets.set(keys.issuerId, compiled)
    return compiled
  }

  takeRevocations(list: readonly RevocationSnapshot[], reset: boolean): void {
    this.revocations.add(list, { reset, now: this.#now() })
  }

  /** Keys of issuers that are no longer there go. */
  keepOnly(issuers: ReadonlyMap<string, unknown>): void {
    for (const issuerId of [...this.#keySets.keys()])
      if (!issuers.has(issuerId)) this.#keySets.delete(issuerId)
    for (const issuerId of [...this.#quietUntil.keys()])
      if (!issuers.has(issuerId)) this.#quietUntil.delete(issuerId)
  }

  /** `done` is called exactly once, at once where nobody has to be asked. */
  judge(token: string, digest: string, terms: { issuers: CompiledIssuers; done: Done }): void {
    const waiting = this.#pending.get(digest)
    if (waiting !== undefined) {
      waiting.push(terms.done)
      return
    }
    const all = [terms.done]
    this.#pending.set(digest, all)
    this.#start(token, terms.issuers, (verdict) => {
      this.#pending.delete(digest)
      for (const done of all) done(verdict)
    })
  }

  #start(token: string, issuers: CompiledIssuers, done: Done): void {
    const jws = readJws(token)
    if (jws !== null) {
      const issuer = issuers.findSigned(jws.payload)
      if (issuer === null) return done(refused('its issuer or audience is not trusted here', null))
      return this.#judgeSigned(jws, issuer, done)
    }
    const issuer = issuers.findOpaque(token)
    if (issuer === null) {
      const refusal = refuseToken('it is malformed', 'no-token')
      return done({ kind: 'refused', refusal, issuer })
    }
    this.#line.introspect(issuer.id, token, (answer) => {
      if (answer.kind === 'unavailable') return done({ kind: 'unavailable' })
      if (answer.kind === 'inactive') return done(refused('its issuer says that it is not active', issuer))
      const { claims, believedUntil } = answer
      if (claims['aud'] !== undefined && !hasAudience(claims, issuer.terms.audiences))
        return done(refused('it is for another audience', issuer))
      done(this.#judgeFacts(claims, issuer, { signedBy: null, believedUntil }))
    })
  }

  #judgeSigned(jws: Jws, issuer: CompiledIssuer, done: Done): void {
    if (!hasType(jws, issuer.terms.types)) return done(refused('it is of another type', issuer))
    const algorithm = pinnedAlgorithm(jws, issuer)
    if (algorithm === null) return done(refused('its algorithm is not taken', issuer))
    const { kid = null } = jws.header
    if (kid !== null && typeof kid !== 'string') return done(refused('its kid is malformed', issuer))
    const finish = (key: SigningKey): void => {
      if (!verifyJws(jws, key.key, algorithm)) return done(refused('its signature is wrong', issuer))
      const proof = { signedBy: key.thumbprint, believedUntil: Number.POSITIVE_INFINITY }
      done(this.#judgeFacts(jws.payload, issuer, proof))
    }
    const known = this.#liveKeys(issuer.id)?.find(kid, algorithm) ?? null
    if (known !== null) return finish(known)
    this.#askKeys(issuer.id, () => {
      const keys = this.#liveKeys(issuer.id)
      if (keys === undefined) return done({ kind: 'unavailable' })
      const found = keys.find(kid, algorithm)
      if (found !== null) return finish(found)
      // Without the control plane it cannot be known whether the issuer has such a key by now.
      if (this.#unreachable.has(issuer.id)) return done({ kind: 'unavailable' })
      this.#quietUntil.set(issuer.id, this.#now() + quietMs)
      done(refused(unknownKey, issuer))
    })
  }

  #liveKeys(issuerId: string): KeySet | undefined {
    const keys = this.#keySets.get(issuerId)
    return keys !== undefined && keys.goodUntil > this.#now() ? keys : undefined
  }

  #askKeys(issuerId: string, then: () => void): void {
    const waiting = this.#asking.get(issuerId)
    if (waiting !== undefined) {
      waiting.push(then)
      return
    }
    const isQuiet = (this.#quietUntil.get(issuerId) ?? 0) > this.#now()
    if (isQuiet && this.#liveKeys(issuerId) !== undefined) return then()
    const all = [then]
    this.#asking.set(issuerId, all)
    this.#line.askKeys(issuerId, (keys) => {
      this.#asking.delete(issuerId)
      if (keys === null) this.#unreachable.add(issuerId)
      else {
        this.#unreachable.delete(issuerId)
        this.takeKeys(keys)
      }
      for (const each of all) each()
    })
  }

  #judgeFacts(
    claims: Jws['payload'],
    issuer: CompiledIssuer,
    proof: Pick<ProvenToken, 'signedBy' | 'believedUntil'>,
  ): TokenVerdict {
    const facts = judgeClaims(claims, issuer, this.#now())
    if ('text' in facts) return { kind: 'refused', refusal: facts, issuer }
    const { subject, tokenId, issuedAt } = facts
    if (this.revocations.covers({ issuerId: issuer.id, subject, tokenId, issuedAt }))
      return refused('it was revoked', issuer)
    const believedUntil = Math.min(proof.believedUntil, facts.endsAt)
    return { kind: 'proven', token: { issuer, facts, signedBy: proof.signedBy, believedUntil } }
  }
}

function refused(text: string, issuer: CompiledIssuer | null): TokenVerdict {
  return { kind: 'refused', refusal: refuseToken(text), issuer }
}
