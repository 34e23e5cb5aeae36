/** What a key policy means for a key: the stricter of two policies, what breaks one, when a rotation is due. */
import type { ApiKey, ApiKeySecret } from '../../domain/entities.ts'
import { type KeyPolicy, keyPolicyDefaults } from '../../domain/key-policy.ts'

export const dayMs = 86_400_000

function least(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return Math.min(one, other)
}

/** The policy that holds where both do. */
export function strictestPolicy(one: KeyPolicy, other: KeyPolicy): KeyPolicy {
  const merged = {
    maxLifetimeDays: least(one.maxLifetimeDays, other.maxLifetimeDays),
    rotateEveryDays: least(one.rotateEveryDays, other.rotateEveryDays),
    rotateWarnDays: mostOf(one.rotateWarnDays, other.rotateWarnDays),
    whenRotationOverdue: [one, other].some((policy) => policy.whenRotationOverdue === 'refuse')
      ? ('refuse' as const)
      : undefined,
    unusedDays: least(one.unusedDays, other.unusedDays),
    networks: one.networks ?? other.networks,
  }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined))
}

function mostOf(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return Math.max(one, other)
}

/** A key as it is to be stored, and when its newest secret was made (Unix milliseconds). */
export interface JudgedKey extends Pick<ApiKey, 'expiresAt' | 'cidrs'> {
  readonly rotatedAt: number
}

/** What must change for the key to keep the policy. */
export interface PolicyBreach {
  readonly field: 'expiresAt' | 'cidrs'
  /** What the policy asks, and what to do, for people. */
  readonly demand: string
}

/** Null: the key keeps the policy. */
export function findBreach(
  { expiresAt, cidrs, rotatedAt }: JudgedKey,
  policy: KeyPolicy,
): PolicyBreach | null {
  const { maxLifetimeDays, networks } = policy
  if (maxLifetimeDays !== undefined) {
    const latest = rotatedAt + maxLifetimeDays * dayMs
    if (expiresAt === null || expiresAt > latest) {
      const demand = `give it an end, at the latest ${maxLifetimeDays} days after its secret was made (${new Date(latest).toISOString()})`
      return { field: 'expiresAt', demand }
    }
  }
  if (networks === 'required' && cidrs.length === 0)
    return { field: 'cidrs', demand: 'name the networks from which it is used' }
  return null
}

/** When the newest secret was made; Unix milliseconds. */
export function rotatedAtOf(secrets: readonly Pick<ApiKeySecret, 'createdAt'>[]): number {
  return secrets.reduce((newest, { createdAt }) => Math.max(newest, createdAt), 0)
}

/** How old a secret may get before its key is refused, milliseconds; null: any age. */
export function refusedAge({ rotateEveryDays, whenRotationOverdue }: KeyPolicy): number | null {
  return rotateEveryDays === undefined || whenRotationOverdue !== 'refuse' ? null : rotateEveryDays * dayMs
}

/** Where the rotation of a secret made at `rotatedAt` stands. */
export function rotationStanding(
  rotatedAt: number,
  { rotateEveryDays, rotateWarnDays = keyPolicyDefaults.rotateWarnDays }: KeyPolicy,
  now: number,
): 'none' | 'due' | 'overdue' {
  if (rotateEveryDays === undefined) return 'none'
  const end = rotatedAt + rotateEveryDays * dayMs
  if (end <= now) return 'overdue'
  return end - rotateWarnDays * dayMs <= now ? 'due' : 'none'
}
