/**
 * The set-up link: how the first administrator gets a token without a shared default. Single use, 15 minutes, one
 * open at a time. The link's token has 256 random bits, travels in the URL fragment (which no server or proxy log
 * sees) and is stored as SHA-256 only; finding it by its hash leaks nothing that helps to guess it.
 */
import { createHash, randomBytes } from 'node:crypto'
import { newId } from '../kernel/ids.ts'
import type { AdminDependencies } from './context.ts'

export const setupLinkLifetimeMs = 15 * 60_000

export const setupTokenPattern = '^gws_[0-9A-Za-z_-]{43}$'

export function hashSetupToken(token: string): string {
  return createHash('sha256').update(`gatewright set-up link:${token}`).digest('base64')
}

export interface IssuedSetupLink {
  /** `/setup#gws_…`, to be put behind the origin of the control plane. */
  readonly path: string
  readonly expiresAt: number
}

/** Make a link; every earlier one stops working. */
export async function issueSetupLink(
  deps: Pick<AdminDependencies, 'store' | 'clock'>,
): Promise<IssuedSetupLink> {
  const createdAt = deps.clock.now()
  const expiresAt = createdAt + setupLinkLifetimeMs
  const token = `gws_${randomBytes(32).toString('base64url')}`
  await deps.store.setupLinks.create({
    id: newId('setup'),
    hash: hashSetupToken(token),
    createdAt,
    expiresAt,
    usedAt: null,
  })
  return { path: `/setup#${token}`, expiresAt }
}
