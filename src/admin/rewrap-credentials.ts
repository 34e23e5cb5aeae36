/**
 * Sealed credentials under the current root key: one organization after the other, each in a transaction, so that a
 * credential that is replaced meanwhile is not brought back. What is wrapped anew keeps its sealed content.
 */
import type { SealedCredential } from '../domain/entities.ts'
import { faults } from '../faults/catalogue.ts'
import type { RewrapCount } from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { SecretBox } from '../ports/secret-box.ts'
import type { Page, PageQuery, Store, StoreTables } from '../ports/store.ts'

export interface CredentialRewrap extends RewrapCount {
  /** Sealed under a root key that is not here, or altered: left as they are. */
  readonly unreadable: number
}

type Outcome = keyof CredentialRewrap

async function rewrapOne(
  tables: StoreTables,
  secretBox: SecretBox,
  record: SealedCredential,
): Promise<Outcome> {
  if (!secretBox.needsRewrap(record.sealed)) return 'kept'
  try {
    const sealed = await secretBox.rewrap(record.sealed, `credential:${record.id}`)
    await tables.credentials.setSealed(record.organizationId, record.id, sealed)
    return 'rewrapped'
  } catch (error) {
    if (error instanceof Fault && error.code === faults.secretUnreadable.code) return 'unreadable'
    throw error
  }
}

async function* pagesOf<T>(list: (query: PageQuery) => Promise<Page<T>>): AsyncGenerator<readonly T[]> {
  let query: PageQuery | null = {}
  while (query !== null) {
    const { items, next }: Page<T> = await list(query)
    yield items
    query = next === null ? null : { after: next }
  }
}

export async function rewrapCredentials(store: Store, secretBox: SecretBox): Promise<CredentialRewrap> {
  const counts = { rewrapped: 0, kept: 0, unreadable: 0 }
  for await (const organizations of pagesOf((query) => store.organizations.list(query))) {
    for (const { id } of organizations) {
      const outcomes = await store.transaction(async (tables) => {
        const found: Outcome[] = []
        for await (const records of pagesOf((query) => tables.credentials.list(id, query))) {
          for (const record of records) found.push(await rewrapOne(tables, secretBox, record))
        }
        return found
      })
      for (const outcome of outcomes) counts[outcome] += 1
    }
  }
  return counts
}
