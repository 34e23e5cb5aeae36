/** What workers learn of keys: from stored records to the messages of `domain/snapshot.ts`. */
import type { KeySnapshot, SnapshotMessage } from '../../domain/snapshot.ts'
import type { KeyChanges, StoredKey } from '../../ports/store.ts'
import { rotatedAtOf } from './key-policy.ts'

/** The key as workers hold it, without secrets that have ended; null when it opens nothing any more. */
export function snapshotKey({ key, secrets }: StoredKey, now: number): KeySnapshot | null {
  if (key.state === 'revoked') return null
  const live = secrets.filter((secret) => secret.expiresAt === null || secret.expiresAt > now)
  if (live.length === 0) return null
  const { keyId, organizationId, applicationId, environment, models, operations, cidrs, expiresAt } = key
  return {
    keyId,
    organizationId,
    applicationId,
    environment,
    models,
    operations,
    cidrs,
    expiresAt,
    rotatedAt: rotatedAtOf(secrets),
    isQuarantined: key.state === 'quarantined',
    secrets: live.map(({ hash, pepperVersion, expiresAt: end }) => ({ hash, pepperVersion, expiresAt: end })),
  }
}

/** One page of `Store.keysSince` as a message; `reset` on the first page of a full load. */
export function snapshotKeys(
  changes: KeyChanges,
  { now, reset }: { readonly now: number; readonly reset: boolean },
): SnapshotMessage {
  const upsert: KeySnapshot[] = []
  const remove: string[] = [...changes.remove]
  for (const stored of changes.upsert) {
    const key = snapshotKey(stored, now)
    if (key === null) remove.push(stored.key.keyId)
    else upsert.push(key)
  }
  return { type: 'keys', version: changes.version, reset, upsert, remove }
}
