/** Secrets that this API hands out: API keys and admin tokens, made and checked under the installation's peppers. */
import type { AdminToken, ApiKey, ApiKeySecret, KeyEnvironment } from '../domain/entities.ts'
import { faults } from '../faults/catalogue.ts'
import {
  hashApiKey,
  mintAdminToken,
  mintApiKey,
  mintApiKeySecret,
  type OpenedPeppers,
  planRotation,
  verifyApiKey,
} from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'

export type SecretPeppers = Pick<OpenedPeppers, 'current' | 'compiled'>

interface Hashed {
  readonly hash: string
  readonly pepperVersion: number
}

function hashOf(text: string, peppers: SecretPeppers): Hashed {
  const pepper = peppers.compiled.get(peppers.current)
  if (pepper === undefined)
    throw new Fault(faults.identityUnavailable, { internal: 'the current pepper is missing' })
  return { hash: hashApiKey(text, pepper), pepperVersion: peppers.current }
}

/** HMAC of what a request says: it may hold secrets, and its hash is stored. */
export function fingerprintOf(text: string, peppers: SecretPeppers): string {
  return hashOf(text, peppers).hash
}

export function makeToken(
  peppers: SecretPeppers,
): { readonly text: string; readonly tokenId: string } & Hashed {
  const minted = mintAdminToken()
  return { ...minted, ...hashOf(minted.text, peppers) }
}

/** Whether `text` is this token and the token is alive; in constant time for a known token id. */
export function provesToken(
  text: string,
  token: AdminToken,
  terms: { peppers: SecretPeppers; now: number },
): boolean {
  const { hash, pepperVersion, expiresAt, revokedAt } = token
  if (revokedAt !== null || (expiresAt !== null && expiresAt <= terms.now)) return false
  const proof = { secrets: [{ hash, pepperVersion, expiresAt: null }] }
  return verifyApiKey(text, proof, { peppers: terms.peppers.compiled, now: terms.now })
}

export interface MadeKey {
  readonly keyId: string
  /** The key itself. */
  readonly text: string
  readonly secret: ApiKeySecret
}

export function makeKey(
  environment: KeyEnvironment,
  terms: { peppers: SecretPeppers; now: number },
): MadeKey {
  const { keyId, text } = mintApiKey(environment)
  const hashed = hashOf(text, terms.peppers)
  return { keyId, text, secret: { keyId, version: 1, ...hashed, createdAt: terms.now, expiresAt: null } }
}

export interface RotationOrder {
  readonly key: ApiKey
  readonly secrets: readonly ApiKeySecret[]
  readonly peppers: SecretPeppers
  readonly now: number
  readonly overlapMs: number
}

/** A new secret under the same key id, beside the one before for the overlap. */
export function rotateKey(order: RotationOrder): {
  readonly text: string
  readonly secrets: readonly ApiKeySecret[]
} {
  const { key, secrets, now, overlapMs } = order
  const text = mintApiKeySecret(key.environment, key.keyId)
  const hashed = hashOf(text, order.peppers)
  const terms = { keyId: key.keyId, keyExpiresAt: key.expiresAt, secrets, ...hashed, now, overlapMs }
  return { text, secrets: planRotation(terms) }
}
