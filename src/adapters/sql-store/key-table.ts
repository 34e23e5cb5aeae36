/**
 * API keys with their secret versions. Each change stamps the key with the version of the change; removed keys
 * leave their public id behind, so that workers learn of the removal.
 */
import type { ApiKey, ApiKeySecret } from '../../domain/entities.ts'
import {
  type ApiKeyPatch,
  type ApiKeyTable,
  type KeyChanges,
  type KeyUse,
  pageLimit,
  secretVersionLimit,
} from '../../ports/store.ts'
import { createCodec } from './columns.ts'
import { keyNoun } from './nouns.ts'
import { getRecord } from './record-reads.ts'
import { conflict, defineTable, notFound } from './record-table.ts'
import { createRecord, updateRecord } from './record-writes.ts'
import { createRecords } from './records.ts'
import type { Session } from './session.ts'

const secretCodec = createCodec<ApiKeySecret>({
  keyId: 'text',
  version: 'integer',
  hash: 'text',
  pepperVersion: 'integer',
  createdAt: 'integer',
  expiresAt: 'integer',
})

const keyRecords = defineTable(keyNoun, {
  columns: (_record, version) => ({ changed_version: version }),
  nameOf: (record) => record.keyId,
  async beforeRemove(session, { record, version }) {
    await session.db.insertInto('removed_api_keys').values({ key_id: record.keyId, version }).execute()
  },
})

/** Secrets of many keys, newest version first, by key id. */
async function secretsOf(
  session: Session,
  keyIds: readonly string[],
): Promise<ReadonlyMap<string, readonly ApiKeySecret[]>> {
  const found = new Map<string, ApiKeySecret[]>()
  if (keyIds.length === 0) return found
  const rows = await session.db
    .selectFrom('api_key_secrets')
    .selectAll()
    .where('key_id', 'in', keyIds)
    .orderBy('version', 'desc')
    .execute()
  for (const row of rows) {
    const secret = secretCodec.decode(row)
    const list = found.get(secret.keyId)
    if (list === undefined) found.set(secret.keyId, [secret])
    else list.push(secret)
  }
  return found
}

async function writeSecrets(
  session: Session,
  keyId: string,
  secrets: readonly ApiKeySecret[],
): Promise<void> {
  const foreign = secrets.some((secret) => secret.keyId !== keyId)
  if (foreign || secrets.length > secretVersionLimit) {
    throw new Error(`a key has at most ${secretVersionLimit} secrets, all of its own`)
  }
  await session.db.deleteFrom('api_key_secrets').where('key_id', '=', keyId).execute()
  if (secrets.length === 0) return
  const rows = secrets.map((secret) => secretCodec.encode(secret))
  await session.run(
    () => session.db.insertInto('api_key_secrets').values(rows).execute(),
    (kind) => (kind === 'unique' ? conflict('API key secret', keyId) : null),
  )
}

async function recordUse(session: Session, uses: readonly KeyUse[]): Promise<void> {
  if (uses.length === 0) return
  await session.atomically(async (current) => {
    for (const { keyId, at } of uses) {
      await current.db
        .updateTable('api_keys')
        .set({ last_used_at: at })
        .where('key_id', '=', keyId)
        .where((build) => build.or([build('last_used_at', 'is', null), build('last_used_at', '<', at)]))
        .execute()
    }
  })
}

export function createKeyTable(session: Session): ApiKeyTable {
  return {
    ...createRecords<ApiKey, ApiKeyPatch, object>(session, keyRecords),
    create: (key, secrets) =>
      session.atomically(async (current) => {
        await createRecord(current, keyRecords, key)
        await writeSecrets(current, key.keyId, secrets)
        return key
      }),
    async secrets(organizationId, id) {
      const key = await getRecord(session, keyRecords, { scope: organizationId, value: id })
      if (key === null) throw notFound(keyNoun.noun, id)
      return (await secretsOf(session, [key.keyId])).get(key.keyId) ?? []
    },
    setSecrets: (organizationId, id, { secrets, ...terms }) =>
      session.atomically(async (current) => {
        const change = { patch: {}, ...terms }
        const key = await updateRecord(current, keyRecords, { scope: organizationId, id, change })
        await writeSecrets(current, key.keyId, secrets)
        return key
      }),
    async findByKeyId(keyId) {
      const row = await session.db
        .selectFrom(keyNoun.table)
        .selectAll()
        .where('key_id', '=', keyId)
        .executeTakeFirst()
      if (row === undefined) return null
      const secrets = (await secretsOf(session, [keyId])).get(keyId) ?? []
      return { key: keyRecords.codec.decode(row), secrets }
    },
    takeNotice: (keyId, notice) =>
      session.atomically(async (current) => {
        const { numUpdatedRows } = await current.db
          .updateTable(keyNoun.table)
          .set({ notice })
          .where('key_id', '=', keyId)
          .where((build) => build.or([build('notice', 'is', null), build('notice', '!=', notice)]))
          .executeTakeFirst()
        return numUpdatedRows === 1n
      }),
    recordUse: (uses) => recordUse(session, uses),
  }
}

/** Changes after `version`, in order; `current` is the newest version, read in the same instant. */
export async function readKeyChanges(
  session: Session,
  terms: { readonly after: number; readonly current: number },
): Promise<KeyChanges> {
  const { after, current } = terms
  const limit = pageLimit.max
  const keys = await session.db
    .selectFrom('api_keys')
    .selectAll()
    .where('changed_version', '>', after)
    .orderBy('changed_version')
    .limit(limit)
    .execute()
  const removed = await session.db
    .selectFrom('removed_api_keys')
    .selectAll()
    .where('version', '>', after)
    .orderBy('version')
    .limit(limit)
    .execute()
  // A list cut short says nothing about what lies beyond its last version: both end at the nearer horizon.
  const ends = [current]
  if (keys.length === limit) ends.push(Number(keys.at(-1)?.['changed_version']))
  if (removed.length === limit) ends.push(Number(removed.at(-1)?.['version']))
  const horizon = Math.min(...ends)
  const changed = keys.filter((row) => Number(row['changed_version']) <= horizon)
  const secrets = await secretsOf(
    session,
    changed.map((row) => String(row['key_id'])),
  )
  return {
    version: horizon,
    more: horizon < current,
    upsert: changed.map((row) => {
      const key = keyRecords.codec.decode(row)
      return { key, secrets: secrets.get(key.keyId) ?? [] }
    }),
    remove: removed.filter((row) => Number(row['version']) <= horizon).map((row) => String(row['key_id'])),
  }
}
