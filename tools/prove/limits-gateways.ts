/**
 * Three gateways on one PostgreSQL and one Redis, as users run them, under twice the load that a limit allows; then
 * Redis, PostgreSQL and a gateway are killed. Every answer is counted, and every record of usage.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { startPostgres } from '../../test/fixtures/postgres/postgres-server.ts'
import { startValkey } from '../../test/fixtures/valkey/valkey-server.ts'
import { type Product, startProduct } from '../../test/journeys/product.ts'
import { summedRequests, waitForSum } from '../../test/journeys/usage-on-disk.ts'
import { atMost, type ProofOptions, type ProofRow } from './slice.ts'

const nodes = 3
const perSecond = 100
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
    return startProduct({
      directory,
      config: {
        storage: { kind: 'postgres', url: 'env:DATABASE_URL' },
        counters: { kind: 'valkey', url: 'env:COUNTERS_URL' },
      },
      environment: { DATABASE_URL: database, COUNTERS_URL: counters },
    })
  }
  return Promise.all(Array.from({ length: nodes }, start))
}

async function setLimit(product: Product): Promise<void> {
  const { statusCode, body } = await request(`${product.control}/api/v1/organizations/default/limits`, {
    method: 'POST',
    headers: { authorization: `Bearer ${product.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'fleet',
      meter: 'requests',
      amount: perSecond,
      window: '1s',
      onStoreLoss: 'local-share',
    }),
  })
  const text = await body.text()
  if (statusCode !== 201) throw new Error(`the limit was refused: ${text}`)
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

export async function proveGateways({ quick, say }: ProofOptions): Promise<readonly ProofRow[]> {
  const forMs = quick ? 4000 : 12_000
  const [database, counters] = [await startPostgres(), await startValkey()]
  const products = await startGateways(await database.createDatabase(), counters.url)
  const apiKey = products.map((product) => product.apiKey).find((key) => key !== '') ?? ''
  const [first] = products
  if (first === undefined) throw new Error('no gateway started')
  await setLimit(first)
  await sleep(spreadWithinMs)
  const before = await summedRequests(first)

  const calm = await load(products, apiKey, forMs)
  const allowed = perSecond + (perSecond * forMs) / 1000
  say(`calm: ${JSON.stringify(calm)} of ${allowed}`)
  const withoutCounters = load(products, apiKey, forMs)
  await sleep(forMs / 4)
  await counters.kill()
  await sleep(forMs / 4)
  await counters.restart()
  const shared = await withoutCounters
  const withoutDatabase = load(products, apiKey, forMs)
  await sleep(forMs / 4)
  await database.kill()
  await sleep(forMs / 4)
  await database.restart()
  const stored = await withoutDatabase

  const asked = [calm, shared, stored].reduce((sum, { served, limited }) => sum + served + limited, before)
  const missing = await waitForSum(first, asked).then(
    () => 0,
    async () => asked - (await summedRequests(first)),
  )
  const last = products.at(-1)
  last?.process.kill('SIGKILL')
  const survived = await load(products.slice(0, -1), apiKey, forMs)
  for (const product of products) await product.stop()
  await counters.stop()
  await database.stop()
  return [
    atMost(
      `${nodes} gateways, one limit of ${perSecond}/s: error`,
      Math.abs(calm.served / allowed - 1) * 100,
      {
        limit: 2,
        unit: '%',
      },
    ),
    noFailure('under twice the load', calm),
    noFailure('Redis killed and started again', shared),
    noFailure('PostgreSQL killed and started again', stored),
    {
      claim: `usage records of these ${asked} requests that are missing or counted twice`,
      target: '= 0',
      measured: missing,
      unit: '',
      ok: missing === 0,
    },
    noFailure('a gateway killed: the others', survived),
  ]
}
