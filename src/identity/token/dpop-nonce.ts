/**
 * Nonces for proofs (RFC 9449 §8): an HMAC of the current span of time under a key that all nodes derive from the
 * newest pepper. No state, and a nonce of one node is good at every other. A nonce is good in its span and the next.
 */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Peppers } from '../api-key/secret-hash.ts'

const spanMs = 60_000

function keyOf(peppers: Peppers): KeyObject | Buffer | null {
  return peppers.get(Math.max(...peppers.keys())) ?? null
}

function nonceOf(key: KeyObject | Buffer, span: number): string {
  return createHmac('sha256', key).update(`gatewright dpop nonce ${span}`).digest('base64url').slice(0, 32)
}

/** The nonce to use now; null: there is no pepper. */
export function currentNonce(peppers: Peppers, now: number): string | null {
  const key = keyOf(peppers)
  return key === null ? null : nonceOf(key, Math.floor(now / spanMs))
}

export function isLiveNonce(nonce: string, peppers: Peppers, now: number): boolean {
  const key = keyOf(peppers)
  if (key === null) return false
  const given = Buffer.from(nonce)
  const span = Math.floor(now / spanMs)
  return [span, span - 1].some((each) => {
    const good = Buffer.from(nonceOf(key, each))
    return given.length === good.length && timingSafeEqual(given, good)
  })
}
