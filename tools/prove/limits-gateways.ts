/**
 * Three gateways on one PostgreSQL and one Redis, as users run them, under twice the load that a limit allows; then
 * Redis, PostgreSQL and a gateway are killed, and started again. Every answer is counted, every record of usage, and what
 * they spent of one budget.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { Agent, request } from 'undici'
import { startPostgres } from '../../test/fixtures/postgres/postgres-server.ts'
import { startValkey } from '../../test/fixtures/valkey/valkey-server.ts'
import { type Product, startProduct } from '../../test/journeys/product.ts'
import { summedRequests, waitForSum } from '../../test/journeys/usage-on-disk.ts'
import { atMost, type ProofOptions, type ProofRow } from './slice.ts'

const nodes = 3
const perSecond = 200
/** So that a lease, 2 % of the amount divided by the nodes, is more than one request. */
const windowSeconds = 2
const burst = perSecond * windowSeconds
const spreadWithinMs = 1000

interface Answers {
  served: number
  limited: number
  /** 5xx, and whatever else there should not be. */
  failed: number
}

async function startGateways(database: string, counters: string): Promise<Product[]> {
  const rootKey = randomBytes(32)
  const start = (): Promise<Product> => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewright-prove-'))
    mkdirSync(join(directory, 'data'), { mode: 0o700 })
    writeFileSync(join(directory, 'data', 'root.key'), rootKey, { mode: 0o600 })
    return startGateway(directory, database, counters)
  }
  return Promise.all(Array.from({ length: nodes }, start))
}

/** Also one that was killed, on what it left. */
function startGateway(directory: string, database: string, counters: string): Promise<Product> {
  return startProduct({
    directory,
    config: {
      storage: { kind: 'postgres', url: 'env:DATABASE_URL' },
      counters: { kind: 'valkey', url: 'env:COUNTERS_URL' },
      prices: [{ provider: 'sandbox', model: '*', inputPerMillion: 1, outputPerMillion: 1 }],
    },
    environment: { DATABASE_URL: database, COUNTERS_URL: counters },
  })
}

/** @returns id of the limit */
async function setLimit(product: Product, terms: object): Promise<string> {
  const { statusCode, body } = await request(`${product.control}/api/v1/organizations/default/limits`, {
    method: 'POST',
    headers: { authorization: `Bearer ${product.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(terms),
  })
  const text = await body.text()
  if (statusCode !== 201) throw new Error(`the limit was refused: ${text}`)
  return (JSON.parse(text) as { readonly id: string }).id
}

const rate = {
  name: 'fleet',
  meter: 'requests',
  amount: burst,
  window: `${windowSeconds}s`,
  onStoreLoss: 'local-share',
}
/** More than is spent. Open, so that it refuses nothing while PostgreSQL is away: what matters is what it counts. */
const budget = { name: 'money', meter: 'cost', amount: 2, window: { calendar: 'month' }, onStoreLoss: 'open' }

/** Micro-dollars that the database has counted as spent of a budget: all that it has debited, but for leases. */
async function countedOf(url: string, limitId: string): Promise<number> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ spent: number }>(
    `select units - coalesce((select sum(units) from counter_leases where key = counters.key), 0) as spent
     from counters where key like '%' || $1 || '%'`,
    [limitId],
  )
  await client.end()
  return Number(rows[0]?.spent)
}

/** Micro-dollars of all records. */
async function recordedOf(product: Product): Promise<number> {
  const { body } = await request(`${product.control}/api/v1/organizations/default/usage/summary`, {
    headers: { authorization: `Bearer ${product.adminToken}` },
  })
  const { rows } = (await body.json()) as { readonly rows?: readonly { readonly costUsd: number }[] }
  return Math.round((rows?.[0]?.costUsd ?? Number.NaN) * 1e6)
}

/** Asks in turn for `forMs`, at twice the limit over all `products`. */
async function load(products: readonly Product[], apiKey: string, forMs: number): Promise<Answers> {
  const agent = new Agent()
  const answers: Answers = { served: 0, limited: 0, failed: 0 }
  const ask = async ({ http }: Product): Promise<void> => {
    try {
      const { statusCode, body } = await request(`${http}/v1/chat/completions`, {
        dispatcher: agent,
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'sandbox: say=ok' }] }),
      })
      await body.dump()
      if (statusCode === 200) answers.served += 1
      else if (statusCode === 429) answers.limited += 1
      else answers.failed += 1
    } catch {
      answers.failed += 1
    }
  }
  const from = performance.now()
  const underWay: Promise<void>[] = []
  while (performance.now() - from < forMs) {
    for (const due = ((performance.now() - from) * 2 * perSecond) / 1000; underWay.length < due; ) {
      const product = products[underWay.length % products.length]
      if (product !== undefined) underWay.push(ask(product))
    }
    await sleep(5)
  }
  await Promise.all(underWay)
  await agent.close()
  return answers
}

const noFailure = (claim: string, { served, limited, failed }: Answers): ProofRow => ({
  claim: `${claim}: 5xx or broken, of ${served + limited + failed}`,
  target: '= 0',
  measured: failed,
  unit: '',
  ok: failed === 0 && served > 0,
})

/** Records that are missing (above 0) or counted twice (below), when all had time to be summed. */
function missingOf(product: Product, asked: number): Promise<number> {
  return waitForSum(product, asked).then(
    () => 0,
    async () => asked - (await summedRequests(product)),
  )
}

const answeredOf = ({ served, limited }: Answers): number => served + limited

interface Killable {
  kill(): Promise<void>
  restart(): Promise<void>
}

/** Load while a store is away for a quarter of it. */
async function loadWithout(
  server: Killable,
  loading: () => Promise<Answers>,
  forMs: number,
): Promise<Answers> {
  const answers = loading()
  await sleep(forMs / 4)
  await server.kill()
  await sleep(forMs / 4)
  await server.restart()
  return answers
}

export async function proveGateways(options: ProofOptions): Promise<readonly ProofRow[]> {
  const [database, counters] = [await startPostgres(), await startValkey()]
  const products: Product[] = []
  try {
    const url = await database.createDatabase()
    products.push(...(await startGateways(url, counters.url)))
    return await measure({ url, database, counters, products }, options)
  } finally {
    for (const product of products) await product.stop()
    await counters.stop()
    await database.stop()
  }
}

interface Fleet {
  readonly url: string
  readonly database: Killable
  readonly counters: Killable & { readonly url: string }
  readonly products: Product[]
}

async function measure(fleet: Fleet, { quick, say }: ProofOptions): Promise<readonly ProofRow[]> {
  const { url, database, counters, products } = fleet
  const forMs = quick ? 4000 : 12_000
  const apiKey = products.map((product) => product.apiKey).find((key) => key !== '') ?? ''
  const [first] = products
  const last = products.at(-1)
  if (first === undefined || last === undefined) throw new Error('no gateway started')
  await setLimit(first, rate)
  const budgetId = await setLimit(first, budget)
  await sleep(spreadWithinMs)
  const before = await summedRequests(first)
  const loadAll = () => load(products, apiKey, forMs)

  const calm = await loadAll()
  const allowed = burst + (perSecond * forMs) / 1000
  say(`calm: ${JSON.stringify(calm)} of ${allowed}`)
  const shared = await loadWithout(counters, loadAll, forMs)
  const stored = await loadWithout(database, loadAll, forMs)
  const asked = [calm, shared, stored].reduce((sum, each) => sum + answeredOf(each), before)
  const missing = await missingOf(first, asked)
  // Longer than nodes wait before they tell.
  await sleep(spreadWithinMs * 2)
  const kept = { recorded: await recordedOf(first), counted: await countedOf(url, budgetId) }

  last.process.kill('SIGKILL')
  const survived = await load(products.slice(0, -1), apiKey, forMs)
  products[products.length - 1] = await startGateway(last.directory, url, counters.url)
  const again = await loadAll()
  const askedInAll = asked + answeredOf(survived) + answeredOf(again)
  const missingInAll = await missingOf(first, askedInAll)
  const recorded = await recordedOf(first)
  for (const product of products) await product.stop()
  const counted = await countedOf(url, budgetId)
  return [
    atMost(
      `${nodes} gateways, one limit of ${burst} in ${windowSeconds} s: error`,
      Math.abs(calm.served / allowed - 1) * 100,
      { limit: 2, unit: '%' },
    ),
    noFailure('under twice the load', calm),
    noFailure('Redis killed and started again', shared),
    noFailure('PostgreSQL killed and started again', stored),
    noneMissing(`usage records of these ${asked} requests`, missing),
    noFailure('a gateway killed: the others', survived),
    noFailure('started again on its directory: all three', again),
    noneMissing(`usage records of all ${askedInAll} requests`, missingInAll),
    exactBudget('the budget after the loss of both stores', kept),
    exactBudget('the budget after the loss of a gateway that was idle', { recorded, counted }),
  ]
}

function exactBudget(
  what: string,
  { recorded, counted }: { readonly recorded: number; readonly counted: number },
): ProofRow {
  return {
    claim: `${what}: micro-dollars counted, less ${recorded} recorded`,
    target: '= 0',
    measured: counted - recorded,
    unit: 'µ$',
    ok: recorded > 0 && counted === recorded,
  }
}

const noneMissing = (records: string, missing: number): ProofRow => ({
  claim: `${records} that are missing or counted twice`,
  target: '= 0',
  measured: missing,
  unit: '',
  ok: missing === 0,
})
