/**
 * What comes of a token that was reported as leaked: a live API key is put into quarantine, a live admin token is
 * revoked, and its owner is told. The report must hold the whole secret: the public part of a key is in logs, and
 * whoever has only that must not be able to stop the key.
 *
 * A report is told from others by its digest, which stays at the key. The same one again does nothing, so a repeated
 * message cannot hold a key that an administrator has released.
 */
import { createHash } from 'node:crypto'
import type { AdminToken, ApiKey } from '../../domain/entities.ts'
import { type KeyLeak, maxKeyLeaks } from '../../domain/key-policy.ts'
import { faults } from '../../faults/catalogue.ts'
import { parseAdminToken, parseApiKey, verifyApiKey } from '../../identity/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { StoredKey } from '../../ports/store.ts'
import type { AdminDependencies } from '../context.ts'

export interface LeakedToken {
  readonly token: string
  readonly type: string
  readonly url: string
  readonly source: string
}

export interface ReportTerms {
  readonly deps: AdminDependencies
  readonly reporter: string
}

/** True: it is a secret that this installation made, whether or not it still opens anything. */
export async function takeReport(leaked: LeakedToken, terms: ReportTerms): Promise<boolean> {
  const keyId = parseApiKey(leaked.token)?.keyId
  if (keyId !== undefined) return takeKey(keyId, leaked, terms)
  const tokenId = parseAdminToken(leaked.token)?.tokenId
  return tokenId === undefined ? false : takeAdminToken(tokenId, leaked, terms)
}

const maxAttempts = 5

async function takeKey(keyId: string, leaked: LeakedToken, terms: ReportTerms): Promise<boolean> {
  const { deps } = terms
  for (let attempt = 1; ; attempt += 1) {
    const stored = await deps.store.keys.findByKeyId(keyId)
    if (stored === null) return false
    const match = matchSecret(stored, leaked.token, deps)
    if (match !== 'live') return match === 'ended'
    try {
      await holdKey(stored.key, leaked, terms)
      return true
    } catch (error) {
      const isStale = error instanceof Fault && error.code === faults.staleUpdate.code
      if (!isStale || attempt === maxAttempts) throw error
    }
  }
}

/** Whether the text is a secret of the key, and still opens it. */
function matchSecret({ key, secrets }: StoredKey, text: string, deps: AdminDependencies) {
  const now = deps.clock.now()
  const peppers = deps.peppers().compiled
  const everMade = { secrets: secrets.map((secret) => ({ ...secret, expiresAt: null })) }
  if (!verifyApiKey(text, everMade, { peppers, now })) return 'none'
  const isOver = key.state === 'revoked' || (key.expiresAt !== null && key.expiresAt <= now)
  return !isOver && verifyApiKey(text, { secrets }, { peppers, now }) ? 'live' : 'ended'
}

async function holdKey(key: ApiKey, leaked: LeakedToken, { deps, reporter }: ReportTerms): Promise<void> {
  const digest = digestOf(leaked, reporter)
  if (key.leaks.some((known) => known.digest === digest)) return
  const at = deps.clock.now()
  const leak: KeyLeak = { digest, at, reporter, url: leaked.url, source: leaked.source }
  const patch = {
    state: 'quarantined' as const,
    quarantine: key.quarantine ?? { at, reason: 'leaked' as const },
    leaks: key.leaks.length < maxKeyLeaks ? [...key.leaks, leak] : key.leaks,
  }
  const change = { patch, now: at, expectedUpdatedAt: key.updatedAt }
  await deps.store.keys.update(key.organizationId, key.id, change)
  const { id, keyId: publicId, organizationId, applicationId } = key
  await deps.tellOfKey({
    action: 'key.leak',
    subject: { kind: 'key', id, publicId, organizationId, applicationId },
    at,
    details: { reporter, url: leaked.url, source: leaked.source },
  })
}

async function takeAdminToken(
  tokenId: string,
  leaked: LeakedToken,
  { deps, reporter }: ReportTerms,
): Promise<boolean> {
  const token = await deps.store.adminTokens.findByTokenId(tokenId)
  if (token === null || !isSecretOf(leaked.token, token, deps)) return false
  const at = deps.clock.now()
  if (token.revokedAt !== null || (token.expiresAt !== null && token.expiresAt <= at)) return true
  await deps.store.adminTokens.update(null, token.id, { patch: { revokedAt: at }, now: at })
  await deps.tellOfKey({
    action: 'admin-token.leak',
    subject: {
      kind: 'admin-token',
      id: token.id,
      publicId: tokenId,
      organizationId: token.organizationId ?? '',
      applicationId: '',
    },
    at,
    details: { reporter, url: leaked.url, source: leaked.source },
  })
  return true
}

function isSecretOf(text: string, { hash, pepperVersion }: AdminToken, deps: AdminDependencies): boolean {
  const proof = { secrets: [{ hash, pepperVersion, expiresAt: null }] }
  return verifyApiKey(text, proof, { peppers: deps.peppers().compiled, now: deps.clock.now() })
}

function digestOf({ token, type, url, source }: LeakedToken, reporter: string): string {
  return createHash('sha256')
    .update(JSON.stringify([reporter, token, type, url, source]))
    .digest('hex')
}
