/** The CheckpointBoard port over Kysely. */
import { type CheckpointBoard, maxPosted, type PostedCheckpoint } from '../../ports/checkpoint-board.ts'
import { createCodec } from './columns.ts'
import type { Database } from './database.ts'

const codec = createCodec<PostedCheckpoint>({
  keeper: 'text',
  log: 'text',
  note: 'text',
  keys: 'json',
  offers: 'json',
})

export function createSqlCheckpointBoard(db: Database): CheckpointBoard {
  return {
    async post(posted) {
      const row = codec.encode(posted)
      await db
        .insertInto('audit_checkpoints')
        .values(row)
        .onConflict((target) => target.columns(['keeper', 'log']).doUpdateSet(row))
        .execute()
    },
    async list() {
      const rows = await db
        .selectFrom('audit_checkpoints')
        .selectAll()
        .orderBy('keeper')
        .orderBy('log')
        .limit(maxPosted)
        .execute()
      return rows.map((row) => codec.decode(row))
    },
  }
}
