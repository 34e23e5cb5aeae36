/**
 * Prove the API key, or the access token of an issuer that is trusted. Order matters for cost and for safety: form and
 * checksum first (junk touches nothing), then what was right lately, who was wrong too often and what was wrong before
 * (`wrong-keys.ts`), then the full secret in constant time, then its state, when and where. An unknown key id and a
 * wrong secret are the same answer.
 */
import { faults } from '../../faults/catalogue.ts'
import { digestKeyText, parseApiKey } from '../../identity/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { GatewayContext } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import type { CompiledKey } from '../key-table.ts'
import type { Stage } from '../stage.ts'

export const authenticate: Stage = (exchange, ctx) => {
  const text = presentedKey(exchange.inbound.headers)
  const parsed = parseApiKey(text)
  if (parsed === null) {
    if (exchange.snapshot.issuers === null) throw new Fault(faults.invalidKey)
    return ctx.tokens.enter(exchange, text)
  }
  const now = ctx.clock.now()
  const key = proveKey(exchange, ctx, { text, keyId: parsed.keyId, now })
  if (key.snapshot.isQuarantined) throw new Fault(faults.keyQuarantined)
  if (key.snapshot.expiresAt !== null && key.snapshot.expiresAt <= now) throw new Fault(faults.expiredKey)
  if (key.allowsAddress !== null && !key.allowsAddress(exchange.clientAddress))
    throw new Fault(faults.addressNotAllowed)
  const application = exchange.snapshot.applications.get(key.snapshot.applicationId) ?? null
  if (application !== null && key.snapshot.rotatedAt + application.refusedKeyAgeMs <= now)
    throw new Fault(faults.keyRotationOverdue)
  exchange.key = key.snapshot
  exchange.compiledKey = key
  exchange.application = application
  key.exchanges.add(exchange)
  // Until a later stage holds something that must be let go of, ending is simply failing.
  exchange.interrupt = () => exchange.fail(new Fault(faults.keyRevoked))
  return 'next'
}

interface PresentedKey {
  readonly text: string
  readonly keyId: string
  readonly now: number
}

/** @throws Fault 401, 429 */
function proveKey(exchange: Exchange, ctx: GatewayContext, { text, keyId, now }: PresentedKey): CompiledKey {
  const { peppers, bounds } = exchange.snapshot
  const terms = { peppers, now }
  const digest = digestKeyText(text)
  const key = ctx.keys.find(keyId)
  if (key?.proof.recalls(digest, terms) === true) return key
  const claim = { address: exchange.clientAddress, digest, perMinute: bounds.wrongKeysPerMinute }
  ctx.wrongKeys.admit(claim)
  if (key?.proof.proves(text, digest, terms) === true) return key
  ctx.wrongKeys.add(claim)
  throw new Fault(faults.invalidKey)
}

const keyHeaders = new Set(['x-api-key', 'x-goog-api-key', 'api-key'])
const bearer = /^bearer /i
const dpop = /^dpop /i

/** The one credential of the request. Two that differ are refused: which one counts must not be anybody's guess. */
export function presentedKey(headers: readonly string[]): string {
  let found = ''
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? ''
    const value = headers[at + 1] ?? ''
    let candidate = ''
    if (name === 'authorization' && bearer.test(value)) candidate = value.slice(7).trim()
    // With its scheme, which no API key begins with.
    else if (name === 'authorization' && dpop.test(value)) candidate = value.trim()
    else if (keyHeaders.has(name)) candidate = value.trim()
    if (candidate === '') continue
    if (found !== '' && found !== candidate) throw new Fault(faults.ambiguousCredentials)
    found = candidate
  }
  if (found === '') throw new Fault(faults.missingCredentials)
  return found
}
