/**
 * Access tokens as credentials: a token of a trusted issuer makes a principal like an API key does, with an
 * application, its subscriptions and limits. Warm: one SHA-256 and one look-up. Everything a token may be refused for
 * after it was found good is asked again with each request: its end, revocation, the row of its issuer, its proof.
 */
import { hash } from 'node:crypto'
import type { KeySnapshot, SnapshotMessage } from '../../domain/snapshot.ts'
import { faults } from '../../faults/catalogue.ts'
import {
  type CompiledIssuers,
  compilePatterns,
  type KeyProof,
  type ReplayStore,
  refuseProof,
  refuseToken,
  type TokenLine,
} from '../../identity/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Exchange } from '../exchange.ts'
import { type CompiledKey, UnderWay } from '../key-table.ts'
import type { CompiledApplication, Snapshot } from '../snapshot.ts'
import { TokenCache, type TokenEntry } from './token-cache.ts'
import { proofFault, type Scheme, tokenFault, unavailableFault } from './token-faults.ts'
import { type ProvenToken, TokenJudge, type TokenVerdict } from './token-judge.ts'

/** As of a stage: `wait` where the exchange is told later. */
type Entrance = 'next' | 'wait'

export interface TokenDoorParts {
  readonly line: TokenLine
  readonly replays: ReplayStore
  readonly clock: Pick<Clock, 'now'>
}

/** Messages about tokens from the control plane. */
export type TokenMessage = Extract<SnapshotMessage, { readonly type: 'token-keys' | 'token-revocations' }>

interface Presented {
  readonly scheme: Scheme
  readonly token: string
}

const dpopScheme = /^dpop /i

function parse(text: string): Presented {
  return dpopScheme.test(text)
    ? { scheme: 'DPoP', token: text.slice(5).trim() }
    : { scheme: 'Bearer', token: text }
}

export class TokenDoor {
  readonly #cache = new TokenCache()
  readonly #judge: TokenJudge
  readonly #replays: ReplayStore
  readonly #clock: Pick<Clock, 'now'>

  constructor({ line, replays, clock }: TokenDoorParts) {
    this.#judge = new TokenJudge({ line, now: () => clock.now() })
    this.#replays = replays
    this.#clock = clock
  }

  apply(message: TokenMessage): void {
    if (message.type === 'token-keys') {
      const { issuerId } = message.keys
      const { thumbprints } = this.#judge.takeKeys(message.keys)
      // A key that its issuer took back proves nothing any more, whatever was found before.
      this.#cache.forget(
        ({ issuer, signedBy }) => issuer.id === issuerId && signedBy !== null && !thumbprints.has(signedBy),
      )
      return
    }
    this.#judge.takeRevocations(message.add, message.reset)
    this.#cache.revoke(({ issuer, facts }) =>
      this.#judge.revocations.covers({ issuerId: issuer.id, ...facts }),
    )
  }

  /** The configuration changed: verdicts under rows that changed are made anew, those of issuers that went end. */
  configured(issuers: CompiledIssuers | null): void {
    const rows = issuers?.byId ?? new Map<string, never>()
    this.#judge.keepOnly(rows)
    this.#cache.revoke(({ issuer }) => !rows.has(issuer.id))
    this.#cache.forget(({ issuer }) => rows.get(issuer.id)?.fingerprint !== issuer.fingerprint)
  }

  /** @throws Fault where the token is refused at once */
  enter(exchange: Exchange, text: string): Entrance {
    const { issuers } = exchange.snapshot
    if (issuers === null) throw new Fault(faults.invalidKey)
    exchange.isToken = true
    const { scheme, token } = parse(text)
    const digest = hash('sha256', token, 'base64')
    const entry = this.#cache.find(digest, this.#clock.now())
    // An exchange goes by the rows of its own snapshot, which may be older or newer than the verdict.
    if (entry !== null && issuers.byId.get(entry.issuer.id)?.fingerprint === entry.issuer.fingerprint) {
      this.#admit(exchange, entry, { scheme, token })
      return 'next'
    }
    return this.#enterCold(exchange, digest, { issuers, presented: { scheme, token } })
  }

  #enterCold(
    exchange: Exchange,
    digest: string,
    { issuers, presented }: { readonly issuers: CompiledIssuers; readonly presented: Presented },
  ): Entrance {
    let isWaiting = false
    let known: TokenVerdict | null = null
    const settle = (verdict: TokenVerdict): void => {
      this.#admit(exchange, this.#keep(verdict, digest, presented.scheme), presented)
    }
    const done = (verdict: TokenVerdict): void => {
      known = verdict
      if (!isWaiting || exchange.outcome !== 'open') return
      try {
        settle(verdict)
      } catch (error) {
        return exchange.fail(error)
      }
      exchange.proceed()
    }
    this.#judge.judge(presented.token, digest, { issuers, done })
    if (known === null) {
      isWaiting = true
      return 'wait'
    }
    settle(known)
    return 'next'
  }

  /** @throws Fault where there is nothing to keep */
  #keep(verdict: TokenVerdict, digest: string, scheme: Scheme): TokenEntry {
    if (verdict.kind === 'unavailable') throw unavailableFault()
    if (verdict.kind === 'refused') {
      const scopes = verdict.issuer?.terms.scopes.map(({ scope }) => scope)
      throw tokenFault(verdict.refusal, scheme, scopes)
    }
    const { token } = verdict
    const before = this.#cache.find(digest, this.#clock.now())
    if (before !== null && before.issuer.fingerprint === token.issuer.fingerprint) return before
    const entry = { ...token, digest, key: keyOf(token), application: null, under: null }
    this.#cache.add(entry)
    return entry
  }

  #admit(exchange: Exchange, entry: TokenEntry, presented: Presented): void {
    this.#demandProof(exchange, entry, presented)
    exchange.key = entry.key.snapshot
    exchange.compiledKey = entry.key
    exchange.application = applicationOf(entry, exchange.snapshot)
    exchange.provenUser = entry.facts.user
    exchange.endUser = entry.facts.user
    entry.key.exchanges.add(exchange)
    exchange.interrupt = () => exchange.fail(new Fault(faults.tokenRevoked))
  }

  /** @throws Fault unless who calls holds the key that the token is bound to, or the token is bound to none */
  #demandProof(exchange: Exchange, { issuer, facts }: TokenEntry, { scheme, token }: Presented): void {
    const { dpop, clockSkewSeconds } = issuer.terms
    const { boundTo } = facts
    if (boundTo === null) {
      if (dpop.mode === 'required') throw tokenFault(refuseToken('it is bound to no key'), 'DPoP')
      if (scheme === 'Bearer') return
      throw tokenFault(refuseToken('it is bound to no key'), 'DPoP')
    }
    if (dpop.mode === 'off') throw tokenFault(refuseToken('it is bound to a key'), 'Bearer')
    if (scheme !== 'DPoP') throw tokenFault(refuseToken('it is bound to a key'), 'DPoP')
    const now = this.#clock.now()
    const proof = onlyProof(exchange)
    const { method, target } = exchange.inbound
    const request = { method, path: target.split('?', 1)[0] ?? '', accessToken: token, boundTo }
    const { peppers } = exchange.snapshot
    const terms = { dpop, skewMs: clockSkewSeconds * 1000, peppers, now, replays: this.#replays }
    const refusal =
      proof === null
        ? ({ kind: 'invalid', text: 'there is none, or more than one' } as const)
        : refuseProof(proof, request, terms)
    if (refusal !== null) throw proofFault(refusal, exchange.snapshot, now)
  }
}

/** The one `DPoP` header (RFC 9449 §4.3 check 1); null: none, or several. */
function onlyProof({ inbound: { headers } }: Exchange): string | null {
  let found: string | null = null
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] !== 'dpop') continue
    if (found !== null) return null
    found = headers[at + 1] ?? null
  }
  return found
}

function applicationOf(entry: TokenEntry, snapshot: Snapshot): CompiledApplication | null {
  if (entry.under === snapshot) return entry.application
  const { applicationId, team } = entry.facts
  const known = snapshot.applications.get(applicationId)
  const isOwn = known?.organizationId === entry.issuer.organizationId
  const application = known === undefined || !isOwn ? null : known
  entry.under = snapshot
  entry.application = application === null || team === null ? application : { ...application, team }
  return entry.application
}

/** No text proves it as an API key. */
const noText: KeyProof = { recalls: () => false, proves: () => false }

/** As an API key: one for each subject of an issuer, so that limits per key and repeated requests go by subject. */
function keyOf({ issuer, facts }: ProvenToken): CompiledKey {
  const { models, operations, applicationId, subject } = facts
  const name = hash('sha256', JSON.stringify([issuer.id, subject]), 'hex').slice(0, 24)
  const snapshot: KeySnapshot = {
    keyId: `tok_${name}`,
    organizationId: issuer.organizationId,
    applicationId,
    environment: 'live',
    models,
    operations,
    cidrs: [],
    expiresAt: facts.endsAt,
    // The issuer makes a new token when it pleases.
    rotatedAt: Number.POSITIVE_INFINITY,
    isQuarantined: false,
    secrets: [],
  }
  return {
    snapshot,
    proof: noText,
    allowsAddress: null,
    allowsModel: models === null ? null : compilePatterns(models),
    allowsOperation: operations === null ? null : compilePatterns(operations),
    exchanges: new UnderWay(),
    bodies: { heldBytes: 0 },
  }
}
