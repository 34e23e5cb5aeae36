/**
 * What leaves the gateway under random routes, residencies, rights and faults: fallbacks, rounds, hedges, kept answers,
 * files and batches. The upstream knows each deployment by its credential.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Fault, UpstreamServer } from '../../test/fixtures/upstream/upstream-server.ts'
import { type RouteStrategy, routeStrategies } from '../domain/routing.ts'
import type { DeploymentSnapshot, RouteSnapshot, SnapshotConfig } from '../domain/snapshot.ts'
import { type Answer, rigForTests } from './harness/gateway-rig.ts'
import { testDeployment, testRoute, testTimeouts } from './harness/start-gateway.ts'

const regions = ['eu-west-1', 'eu-north-1', 'us-east-1', null] as const
const deployments = Array.from({ length: 6 }, (_, index) => `d${index}`)
const keyOf = (deployment: string): string => `sk-${deployment}`

const faults: readonly Fault[] = [
  { kind: 'status', status: 500, body: '{}' },
  { kind: 'status', status: 429, body: '{}' },
  { kind: 'reset' },
  { kind: 'malformed-sse' },
  // Slower than what the targets are known for: a second call is made.
  { kind: 'delay', delayMs: 60 },
]

interface DrawnRoute {
  readonly residency: readonly string[]
  readonly targets: readonly string[]
  readonly strategy: RouteStrategy
}

const anyRoute: fc.Arbitrary<DrawnRoute> = fc.record({
  residency: fc.uniqueArray(fc.constantFrom('eu-west-1', 'eu-*', 'us-*', '*'), { maxLength: 2 }),
  targets: fc.uniqueArray(fc.constantFrom(...deployments), { minLength: 1 }),
  strategy: fc.constantFrom(...routeStrategies),
})
const routeNames = ['one', 'two', 'many-*'] as const
const anyWorld = fc.record({
  regions: fc.array(fc.constantFrom(...regions), { minLength: 6, maxLength: 6 }),
  routes: fc.tuple(anyRoute, anyRoute, anyRoute),
  /** Residencies later, while answers of before are kept. */
  later: fc.tuple(anyRoute, anyRoute, anyRoute),
  models: fc.constantFrom(['*'], ['one'], ['two'], ['many-a', 'one'], ['many-*', 'two'], ['m*']),
  failing: fc.uniqueArray(fc.tuple(fc.constantFrom(...deployments), fc.constantFrom(...faults)), {
    selector: ([deployment]) => deployment,
    maxLength: 5,
  }),
})
type World = typeof anyWorld extends fc.Arbitrary<infer W> ? W : never

function deploymentsAt(upstream: UpstreamServer, regionOf: World['regions']): DeploymentSnapshot[] {
  return deployments.map((id, index) =>
    testDeployment({
      id,
      providerId: 'openai',
      baseUrl: upstream.url,
      region: regionOf[index] ?? null,
      secrets: { apiKey: keyOf(id) },
      timeouts: { ...testTimeouts, firstByteMs: 1000 },
    }),
  )
}

/** Routes of one deployment each, which keep what is known of their targets from world to world. */
const known = deployments.map((id) => testRoute(`known-${id}`, [id], 'gpt-4o'))
const rig = rigForTests((upstream) => ({
  deployments: deploymentsAt(upstream, []),
  routes: known,
}))

function routeOf(name: string, { residency, targets, strategy }: DrawnRoute): RouteSnapshot {
  const policy = {
    residency,
    strategy,
    breaker: null,
    retry: { rounds: 1, backoffMs: 1, maxCooldownMs: 0, budgetPercent: 100 },
    hedge: { maxCostMicroUsd: 1_000_000, maxPercent: 100, minDelayMs: 1 },
    cache: { ttlMs: 60_000 },
  }
  return { ...testRoute(name, targets, 'gpt-4o'), policy }
}

function enter(world: World, routes: World['routes']): void {
  const { gateway, config } = rig.started
  const grants = [{ productId: 'prd_a', models: world.models, operations: ['*'], planId: null }]
  const changed: SnapshotConfig = {
    ...config,
    deployments: deploymentsAt(rig.upstream, world.regions),
    routes: [...known, ...routes.map((each, index) => routeOf(routeNames[index] ?? '', each))],
    applications: config.applications.map((application) => ({ ...application, grants })),
  }
  gateway.apply({ type: 'config', config: changed })
}

/** What a chat says → where it may be served: a call that lost its race may arrive after the next request. */
const allowedOf = new Map<string, readonly string[]>()

function within(world: World, residency: readonly string[]): string[] {
  const allows = (region: string | null): boolean =>
    residency.length === 0 ||
    (region !== null &&
      residency.some((each) => (each.endsWith('*') ? region.startsWith(each.slice(0, -1)) : region === each)))
  return deployments.filter((_, index) => allows(world.regions[index] ?? null))
}

const seen = { fallbacks: 0, hits: 0, refused: 0, hedges: 0, files: 0 }
let round = 0

async function callRoute(world: World, routes: World['routes'], index: number): Promise<void> {
  const drawn = routes[index] ?? routes[0]
  const model = routeNames[index] === 'many-*' ? 'many-a' : (routeNames[index] ?? '')
  const allowed = within(world, drawn.residency).filter((each) => drawn.targets.includes(each))
  const content = `sandbox: say=${round}-${index}`
  allowedOf.set(content, allowed)
  for (const stream of [false, true]) {
    fail(world)
    look(await rig.chat({ model, stream, messages: [{ role: 'user', content }] }), { world, allowed })
  }
}

function fail(world: World): void {
  for (const [deployment, fault] of world.failing) rig.upstream.failFor(keyOf(deployment), fault)
}

interface Expected {
  readonly world: World
  readonly allowed: readonly string[]
}

/** Where the requests since the last look went, and where the answer is from. */
function look(answer: Answer, { world, allowed }: Expected): void {
  const visited = rig.upstream.requests.map((each) => {
    const deployment = each.header('authorization')?.slice('Bearer sk-'.length) ?? ''
    const said = /sandbox: say=[0-9-]+/.exec(each.body.toString())?.[0] ?? ''
    assert.ok((allowedOf.get(said) ?? allowed).includes(deployment), `${deployment}, not ${allowed.join()}`)
    return deployment
  })
  rig.upstream.clear()
  const from = answer.headers['x-gatewright-deployment']
  if (from !== undefined) assert.ok(allowed.includes(String(from)), `an answer of ${String(from)}`)
  if (answer.headers['x-gatewright-cache'] === 'hit') seen.hits += 1
  if (visited.length < 2) return
  const first = world.failing.find(([deployment]) => deployment === visited[0])?.[1]
  // What only is slow would have answered.
  if (first?.kind === 'delay') seen.hedges += 1
  else seen.fallbacks += 1
}

const file = '--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n{}\r\n--b--\r\n'

async function callWithoutModel(world: World, routes: World['routes']): Promise<void> {
  const mayUse: Readonly<Record<(typeof routeNames)[number], boolean>> = {
    one: world.models.some((each) => ['*', 'one'].includes(each)),
    two: world.models.some((each) => ['*', 'two'].includes(each)),
    'many-*': world.models.some((each) => ['*', 'many-a', 'many-*', 'm*'].includes(each)),
  }
  const allowed = routes.reduce(
    (left, { residency }, index) =>
      mayUse[routeNames[index] ?? 'one']
        ? left.filter((each) => within(world, residency).includes(each))
        : left,
    deployments,
  )
  const headers = { 'content-type': 'multipart/form-data; boundary=b' }
  const batch = { input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h' }
  for (const answer of [
    () => rig.call('/v1/files'),
    () => rig.call('/v1/files', { body: file, headers }),
    () => rig.call('/v1/batches'),
    () => rig.call('/v1/batches', { body: batch }),
  ]) {
    fail(world)
    const told = await answer()
    look(told, { world, allowed })
    seen.files += 1
    if (allowed.length > 0) assert.notEqual(told.faultCode, 'access.outside-residency')
    else if (told.faultCode !== 'access.operation-denied') {
      assert.deepEqual([told.status, told.faultCode], [403, 'access.outside-residency'])
      seen.refused += 1
    }
  }
}

/** Twenty quick answers of each kind, so that a slow one is told from them. */
async function makeKnown(): Promise<void> {
  const messages = [{ role: 'user', content: 'sandbox: say=hello' }]
  for (const { name } of known)
    for (let at = 0; at < 20; at += 1)
      await Promise.all([false, true].map((stream) => rig.chat({ model: name, stream, messages })))
}

test('property: whatever is asked and whatever fails, nothing leaves the regions of its route, or those of all routes of the key', async () => {
  await makeKnown()
  rig.upstream.clear()
  await fc.assert(
    fc.asyncProperty(anyWorld, async (world) => {
      round += 1
      enter(world, world.routes)
      for (const routes of [world.routes, world.later]) {
        enter(world, routes)
        for (let index = 0; index < routeNames.length; index += 1) await callRoute(world, routes, index)
        await callWithoutModel(world, routes)
      }
    }),
    { numRuns: 60 },
  )
  for (const [what, times] of Object.entries(seen)) assert.ok(times > 0, `${what} never came about`)
})
