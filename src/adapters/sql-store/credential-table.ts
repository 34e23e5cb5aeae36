/** Sealed provider credentials. Only sealed text passes here. */
import type { SealedCredential } from '../../domain/entities.ts'
import type { CredentialTable } from '../../ports/store.ts'
import { credentialNoun } from './nouns.ts'
import { defineTable, notFound } from './record-table.ts'
import { createRecords } from './records.ts'
import type { Session } from './session.ts'

export const credentialRecords = defineTable(credentialNoun)

export function createCredentialTable(session: Session): CredentialTable {
  const { create, get, list, remove } = createRecords<SealedCredential, never, object>(
    session,
    credentialRecords,
  )
  return {
    create,
    get,
    list,
    remove,
    setSealed: (organizationId, id, sealed) =>
      session.atomically(async (current) => {
        const result = await current.db
          .updateTable(credentialNoun.table)
          .set({ sealed })
          .where('organization_id', '=', organizationId)
          .where('id', '=', id)
          .executeTakeFirst()
        if (result.numUpdatedRows !== 1n) throw notFound(credentialNoun.noun, id)
        await current.bump(credentialNoun.change)
      }),
  }
}
