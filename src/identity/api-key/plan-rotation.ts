/** Rotation: a new secret under the same key id, so that limits, budgets and history stay. */
import type { ApiKeySecret } from '../../domain/entities.ts'

/** How long the old secret goes on working, milliseconds. */
export const defaultOverlapMs = 24 * 60 * 60 * 1000

export interface RotationTerms {
  readonly keyId: string
  readonly keyExpiresAt: number | null
  /** The key's stored secrets, in any order. */
  readonly secrets: readonly ApiKeySecret[]
  /** Of the new secret. */
  readonly hash: string
  readonly pepperVersion: number
  readonly now: number
  /** Default 24 h; 0 ends the old secret at once. */
  readonly overlapMs?: number
}

/**
 * The secrets to store: the new one first, then the newest live one for the overlap. Never more than two; the old
 * one never outlives the key, nor an end that it already had.
 */
export function planRotation(terms: RotationTerms): readonly ApiKeySecret[] {
  const { keyId, keyExpiresAt, secrets, hash, pepperVersion, now } = terms
  const end = now + Math.max(0, terms.overlapMs ?? defaultOverlapMs)
  const newest = secrets.reduce((highest, secret) => Math.max(highest, secret.version), 0)
  const next = { keyId, version: newest + 1, hash, pepperVersion, createdAt: now, expiresAt: null }
  const previous = secrets
    .filter((secret) => secret.expiresAt === null || secret.expiresAt > now)
    .toSorted((left, right) => right.version - left.version)
    .at(0)
  if (previous === undefined) return [next]
  const expiresAt = Math.min(
    end,
    previous.expiresAt ?? Number.POSITIVE_INFINITY,
    keyExpiresAt ?? Number.POSITIVE_INFINITY,
  )
  return expiresAt <= now ? [next] : [next, { ...previous, expiresAt }]
}
