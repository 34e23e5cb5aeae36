/** All pages of a list. */
import type { Page, PageQuery } from '../ports/store.ts'

const maxRecords = 100_000

/** @throws RangeError beyond `maxRecords`: what is not all must not pass for all */
export async function listAll<T>(list: (query: PageQuery) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = []
  let after: string | null = null
  do {
    const page: Page<T> = await list(after === null ? { limit: 500 } : { limit: 500, after })
    all.push(...page.items)
    after = page.next
    if (all.length > maxRecords) throw new RangeError(`there are more than ${maxRecords} records of one kind`)
  } while (after !== null)
  return all
}
