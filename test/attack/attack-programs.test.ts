/** A started product under attack by the programs made for it: good clients are served, and nothing stays behind. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Product, startProduct } from '../journeys/product.ts'
import {
  type Attack,
  attackedBounds,
  type GoodClients,
  openDescriptors,
  rapidResets,
  serveGoodClients,
  slowAttacks,
  slowAuthenticatedBody,
  strangersStreams,
} from './attack-programs.ts'

/** What a test machine adds that runs other tests at the same time; the proof measures without. */
const slackMs = 150
const perSecond = 50

let product: Product
let quiet: GoodClients
let descriptors = 0

before(async () => {
  product = await startProduct({ config: { bounds: attackedBounds } })
  quiet = await serveGoodClients(product, { seconds: 2, perSecond })
  descriptors = openDescriptors(product)
})
after(() => product.stop())

async function attackWith(attacks: readonly Attack[], connections: number): Promise<void> {
  const seconds = 4
  const [, good] = await Promise.all([
    Promise.all(attacks.map((attack) => attack.run(product, { seconds, connections }))),
    sleep(1000).then(() => serveGoodClients(product, { seconds: seconds - 1, perSecond })),
  ])
  assert.equal(good.failed, 0)
  assert.equal(good.served, (seconds - 1) * perSecond)
  assert.ok(good.p99Ms < 2 * quiet.p99Ms + slackMs, `${good.p99Ms} ms, ${quiet.p99Ms} ms without the attack`)
}

test('slow heads, bodies and readers, and ranges, all at once', async () => {
  await attackWith([...slowAttacks, slowAuthenticatedBody], 200)
})

test('rapid resets and a flood of strangers over HTTP/2', async () => {
  await attackWith([rapidResets, strangersStreams], 20)
})

test('afterwards nothing of the attackers is left', async () => {
  const started = Date.now()
  while (openDescriptors(product) > descriptors + 5 && Date.now() - started < 10_000) await sleep(100)
  assert.ok(openDescriptors(product) <= descriptors + 5, `${openDescriptors(product)}, ${descriptors} before`)
  assert.equal((await serveGoodClients(product, { seconds: 1, perSecond })).failed, 0)
})
