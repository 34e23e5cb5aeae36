/** Making admin tokens: by `admin-token-create`, by the set-up exchange, and by the first start of an installation. */
import type { AdminScope, AdminToken } from '../domain/entities.ts'
import { newId } from '../kernel/ids.ts'
import type { AdminDependencies } from './context.ts'
import { makeToken } from './secrets.ts'

export interface TokenOrder {
  readonly name: string
  readonly scopes: readonly AdminScope[]
  /** Null: all organizations. */
  readonly organizationId: string | null
  /** Unix milliseconds, or null: never. */
  readonly expiresAt: number | null
  readonly managedBy: 'api' | 'setup'
}

export interface IssuedToken {
  readonly adminToken: AdminToken
  /** The token text; it exists here and with its receiver only. */
  readonly secret: string
}

export type TokenIssuer = Pick<AdminDependencies, 'store' | 'clock' | 'peppers'>

export async function issueAdminToken(deps: TokenIssuer, order: TokenOrder): Promise<IssuedToken> {
  const now = deps.clock.now()
  const minted = makeToken(deps.peppers())
  const adminToken = await deps.store.adminTokens.create({
    id: newId('adm'),
    createdAt: now,
    updatedAt: now,
    managedBy: order.managedBy,
    organizationId: order.organizationId,
    name: order.name,
    scopes: order.scopes,
    expiresAt: order.expiresAt,
    tokenId: minted.tokenId,
    hash: minted.hash,
    pepperVersion: minted.pepperVersion,
    lastUsedAt: null,
    revokedAt: null,
  })
  return { adminToken, secret: minted.text }
}
