/** Admin tokens, settings, set-up links and idempotency records: what the data plane never sees. */
import type { AdminToken } from '../../domain/entities.ts'
import type { JsonValue } from '../../domain/json.ts'
import type {
  AdminTokenPatch,
  AdminTokenTable,
  IdempotencyClaim,
  IdempotencyOutcome,
  IdempotencyTable,
  IdempotentReply,
  SettingTable,
  SetupLinkTable,
} from '../../ports/store.ts'
import { adminTokenNoun } from './nouns.ts'
import { defineTable } from './record-table.ts'
import { createRecords } from './records.ts'
import type { Session } from './session.ts'

const adminTokenRecords = defineTable(adminTokenNoun, { nameOf: (record) => record.tokenId })

export function createAdminTokenTable(session: Session): AdminTokenTable {
  const records = createRecords<AdminToken, AdminTokenPatch, object>(session, adminTokenRecords)
  return {
    ...records,
    findByTokenId: (tokenId) => records.find(null, tokenId),
    recordUse: (tokenId, at) =>
      session.atomically(async (current) => {
        await current.db
          .updateTable(adminTokenNoun.table)
          .set({ last_used_at: at })
          .where('token_id', '=', tokenId)
          .where((build) => build.or([build('last_used_at', 'is', null), build('last_used_at', '<', at)]))
          .execute()
      }),
    async countLive(now) {
      const row = await session.db
        .selectFrom(adminTokenNoun.table)
        .select((build) => build.fn.countAll<number>().as('count'))
        .where('revoked_at', 'is', null)
        .where((build) => build.or([build('expires_at', 'is', null), build('expires_at', '>', now)]))
        .executeTakeFirstOrThrow()
      return Number(row.count)
    },
  }
}

async function setSetting({ db }: Session, name: string, value: JsonValue): Promise<void> {
  const text = JSON.stringify(value)
  await db
    .insertInto('settings')
    .values({ name, value: text })
    .onConflict((target) => target.column('name').doUpdateSet({ value: text }))
    .execute()
}

export function createSettingTable(session: Session): SettingTable {
  return {
    async get(name) {
      const row = await session.db
        .selectFrom('settings')
        .select('value')
        .where('name', '=', name)
        .executeTakeFirst()
      return row === undefined ? null : (JSON.parse(String(row['value'])) as JsonValue)
    },
    set: (name, value) => session.atomically((current) => setSetting(current, name, value)),
    publish: (name, value) =>
      session.atomically(async (current) => {
        await setSetting(current, name, value)
        await current.bump('configuration')
      }),
    remove: (name) =>
      session.atomically(async (current) => {
        await current.db.deleteFrom('settings').where('name', '=', name).execute()
      }),
  }
}

export function createSetupLinkTable(session: Session): SetupLinkTable {
  return {
    create: (link) =>
      session.atomically(async (current) => {
        await current.db.deleteFrom('setup_links').execute()
        const { id, hash, createdAt, expiresAt, usedAt } = link
        const row = { id, hash, created_at: createdAt, expires_at: expiresAt, used_at: usedAt }
        await current.db.insertInto('setup_links').values(row).execute()
      }),
    consume: (hash, now) =>
      session.atomically(async (current) => {
        // One conditional update: of two callers at once, only one finds the link unused.
        const result = await current.db
          .updateTable('setup_links')
          .set({ used_at: now })
          .where('hash', '=', hash)
          .where('used_at', 'is', null)
          .where('expires_at', '>', now)
          .executeTakeFirst()
        return result.numUpdatedRows === 1n
      }),
  }
}

async function claim(session: Session, terms: IdempotencyClaim): Promise<IdempotencyOutcome> {
  const { scope, key, fingerprint, now, expiresAt } = terms
  const { db } = session
  await db
    .deleteFrom('idempotency_records')
    .where('scope', '=', scope)
    .where('key', '=', key)
    .where('expires_at', '<=', now)
    .execute()
  const inserted = await db
    .insertInto('idempotency_records')
    .values({ scope, key, fingerprint, expires_at: expiresAt, reply: null })
    .onConflict((target) => target.columns(['scope', 'key']).doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows === 1n) return { kind: 'claimed' }
  const row = await db
    .selectFrom('idempotency_records')
    .selectAll()
    .where('scope', '=', scope)
    .where('key', '=', key)
    .executeTakeFirst()
  if (row === undefined) return { kind: 'running' }
  if (row['fingerprint'] !== fingerprint) return { kind: 'mismatch' }
  const reply = row['reply'] ?? null
  if (reply === null) return { kind: 'running' }
  return { kind: 'done', reply: JSON.parse(String(reply)) as IdempotentReply }
}

export function createIdempotencyTable(session: Session): IdempotencyTable {
  return {
    claim: (terms) => session.atomically((current) => claim(current, terms)),
    complete: (scope, key, { reply, expiresAt }) =>
      session.atomically(async (current) => {
        await current.db
          .updateTable('idempotency_records')
          .set({ reply: JSON.stringify(reply), expires_at: expiresAt })
          .where('scope', '=', scope)
          .where('key', '=', key)
          .execute()
      }),
    abandon: (scope, key) =>
      session.atomically(async (current) => {
        await current.db
          .deleteFrom('idempotency_records')
          .where('scope', '=', scope)
          .where('key', '=', key)
          .where('reply', 'is', null)
          .execute()
      }),
    sweep: (now) =>
      session.atomically(async (current) => {
        const result = await current.db
          .deleteFrom('idempotency_records')
          .where('expires_at', '<=', now)
          .executeTakeFirst()
        return Number(result.numDeletedRows)
      }),
  }
}
