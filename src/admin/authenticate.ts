/**
 * Who calls: `Authorization: Bearer gwa_…` → the admin token's record, and whether its scopes suffice. The public
 * part of the token finds the record, the hash of the whole text is compared in constant time by the identity
 * slice. Every way to fail looks the same from outside: 401 `admin.unauthenticated`, or 429 when a client has failed
 * too often. What has not the form of a token is no attempt and is not counted: it can never be right.
 */
import type { AdminScope } from '../domain/entities.ts'
import { faults } from '../faults/catalogue.ts'
import { parseAdminToken } from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { AdminDependencies, Caller } from './context.ts'
import { provesToken } from './secrets.ts'

const bearer = /^Bearer ([!-~]{1,256})$/i

/** Use is recorded at most this often per token, so that reads do not become writes. Milliseconds. */
const useInterval = 60_000

function unauthenticated(): Fault {
  return new Fault(faults.adminUnauthenticated)
}

function claimOf(
  authorization: string | undefined,
): { readonly text: string; readonly tokenId: string } | null {
  const text = bearer.exec(authorization ?? '')?.[1]
  const tokenId = text === undefined ? undefined : parseAdminToken(text)?.tokenId
  return text === undefined || tokenId === undefined ? null : { text, tokenId }
}

/** True for what has the form of a token. */
export function isAttempt(authorization: string | undefined): boolean {
  return claimOf(authorization) !== null
}

/** @throws Fault 401, 429 */
export async function authenticate(
  deps: AdminDependencies,
  { authorization, address }: { readonly authorization: string | undefined; readonly address: string },
): Promise<Caller> {
  const claim = claimOf(authorization)
  if (claim === null) throw unauthenticated()
  const { text, tokenId } = claim
  deps.signIns.admit(address, text)
  const record = await deps.store.adminTokens.findByTokenId(tokenId)
  const now = deps.clock.now()
  if (record === null || !provesToken(text, record, { peppers: deps.peppers(), now })) {
    await deps.signIns.failed(address)
    throw unauthenticated()
  }
  deps.signIns.succeeded(text)
  if (record.lastUsedAt === null || now - record.lastUsedAt >= useInterval) {
    await deps.store.adminTokens.recordUse(tokenId, now)
  }
  return { tokenId, organizationId: record.organizationId, scopes: record.scopes }
}

/** @throws Fault 403 unless the caller has the scope; `admin` includes all */
export function requireScope(caller: Caller, scope: AdminScope): void {
  if (caller.scopes.includes(scope) || caller.scopes.includes('admin')) return
  throw new Fault(faults.scopeDenied, { public: { scope } })
}
