/**
 * Access to a new installation: a first API key, a token for the command line on this machine, a set-up link for the
 * first administrator. Each secret exists here, in the terminal or the 0600 file, and nowhere else.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { issueAdminToken } from '../admin/issue-admin-token.ts'
import { makeKey, type SecretPeppers } from '../admin/secrets.ts'
import { issueSetupLink } from '../admin/setup-link.ts'
import type { Clock } from '../kernel/clock.ts'
import { newId } from '../kernel/ids.ts'
import type { Store } from '../ports/store.ts'

export interface AccessParts {
  readonly store: Store
  readonly clock: Clock
  readonly peppers: () => SecretPeppers
}

/** The text of a first API key of `application`. */
export async function makeFirstKey(
  parts: AccessParts,
  owner: { readonly organizationId: string; readonly applicationId: string },
): Promise<string> {
  const now = parts.clock.now()
  const made = makeKey('live', { peppers: parts.peppers(), now })
  await parts.store.keys.create(
    {
      id: newId('key'),
      createdAt: now,
      updatedAt: now,
      managedBy: 'setup',
      ...owner,
      keyId: made.keyId,
      name: 'First key',
      environment: 'live',
      state: 'active',
      models: null,
      operations: null,
      cidrs: [],
      expiresAt: null,
      lastUsedAt: null,
      revokedAt: null,
      quarantine: null,
      leaks: [],
    },
    [made.secret],
  )
  return made.text
}

/**
 * A token for `gatewright` on this machine, in the data directory. Whoever can read that directory holds the root
 * key anyway, so this gives nothing away.
 */
export async function ensureLocalToken(parts: AccessParts, file: string): Promise<void> {
  if (existsSync(file)) return
  const issued = await issueAdminToken(parts, {
    name: 'Command line on this machine',
    scopes: ['admin'],
    organizationId: null,
    expiresAt: null,
    managedBy: 'setup',
  })
  const temporary = `${file}.${process.pid}.new`
  writeFileSync(temporary, `${issued.secret}\n`, { mode: 0o600, flush: true })
  renameSync(temporary, file)
}

/** The path of a new set-up link while nobody has become administrator; null afterwards. */
export async function offerSetup(parts: AccessParts): Promise<string | null> {
  const { items } = await parts.store.adminTokens.list(null, { limit: 500 })
  if (items.some((token) => token.managedBy !== 'setup' || token.name !== 'Command line on this machine'))
    return null
  return (await issueSetupLink(parts)).path
}
