/** What a product has on record: the ids in its event log, and the sums that its admin API tells. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { openEventLog } from '../../src/adapters/event-log/open-event-log.ts'
import type { Product } from './product.ts'

/** Ids of all records in the log of a product that has ended, repeats included. */
export async function readLoggedIds(directory: string): Promise<string[]> {
  const log = await openEventLog({ directory: join(directory, 'data', 'usage') })
  const ids: string[] = []
  for await (const { payload } of log.read(null)) {
    for (const line of payload.toString('utf8').split('\n')) {
      if (line !== '') ids.push((JSON.parse(line) as { id: string }).id)
    }
  }
  await log.close()
  return ids
}

/** Requests of the first organization that are summed, all outcomes together. */
export async function summedRequests(product: Product): Promise<number> {
  const answer = await request(`${product.control}/api/v1/organizations/default/usage/summary`, {
    headers: { authorization: `Bearer ${product.adminToken}` },
  })
  const { rows } = (await answer.body.json()) as { rows?: { requests: number }[] }
  return rows?.[0]?.requests ?? 0
}

/** Resolves when exactly `count` requests are summed. @throws after 20 s */
export async function waitForSum(product: Product, count: number): Promise<void> {
  const deadline = performance.now() + 20_000
  let sum = -1
  while (performance.now() < deadline) {
    // The control plane may be away for a moment.
    sum = await summedRequests(product).catch(() => -1)
    if (sum === count) return
    await sleep(100)
  }
  throw new Error(`${sum} instead of ${count} requests are summed`)
}
