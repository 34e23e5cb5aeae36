/** No choice, fallback, retry or hedge of a route can reach a target outside its residency: it is not among them. */
// What leaves the gateway is watched in residency-traffic.test.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { routeStrategies } from '../domain/routing.ts'
import type { RouteSnapshot, SnapshotConfig } from '../domain/snapshot.ts'
import { defaultPrices } from '../metering/index.ts'
import { createCatalogue } from '../providers/index.ts'
import { failureClasses, orderTargets, usableTargets } from '../routing/index.ts'
import { testBounds, testDeployment } from './harness/start-gateway.ts'
import { compileSnapshot, findRoute } from './snapshot.ts'

const regions = ['eu-west-1', 'eu-north-1', 'eu', 'us-east-1', 'ap-south-1', 'eux'] as const
const parts = {
  catalogue: createCatalogue(),
  auth: { now: Date.now, fetchToken: () => Promise.reject(new Error('no token is asked for')) },
}

const anyRoute = fc.record({
  residency: fc.uniqueArray(fc.constantFrom(...regions, 'eu-*', 'us-*', '*'), { minLength: 1, maxLength: 3 }),
  targets: fc.array(
    fc.record({
      region: fc.option(fc.constantFrom(...regions)),
      inSettings: fc.boolean(),
      priority: fc.nat(3),
      weight: fc.nat(3),
    }),
    { minLength: 1, maxLength: 10 },
  ),
  strategy: fc.constantFrom(...routeStrategies),
  canary: fc.option(fc.nat(9)),
  conversation: fc.option(fc.integer()),
  failing: fc.array(fc.tuple(fc.nat(9), fc.constantFrom(...Object.values(failureClasses))), {
    maxLength: 30,
  }),
})

function configOf(drawn: typeof anyRoute extends fc.Arbitrary<infer R> ? R : never): SnapshotConfig {
  const deployments = drawn.targets.map(({ region, inSettings }, index) =>
    testDeployment({
      id: `d${index}`,
      providerId: 'openai',
      baseUrl: 'http://127.0.0.1:1',
      secrets: { apiKey: 'k' },
      region: inSettings ? null : region,
      settings: inSettings && region !== null ? { region } : {},
    }),
  )
  const { residency, strategy, canary } = drawn
  const route: RouteSnapshot = {
    organizationId: 'org_a',
    name: 'gpt',
    aliases: ['alias'],
    createdAt: 0,
    timeouts: {},
    targets: drawn.targets.map(({ priority, weight }, index) => ({
      deployment: `d${index}`,
      model: 'm',
      priority,
      weight,
    })),
    policy: {
      residency,
      strategy,
      canary: canary === null ? null : { deployment: `d${canary}`, percent: 100 },
      retry: { rounds: 3 },
      hedge: { maxCostMicroUsd: 1_000_000 },
    },
  }
  return {
    version: 1,
    deployments,
    routes: [route],
    applications: [],
    plans: [],
    limits: [],
    topUps: [],
    prices: defaultPrices,
    peppers: { 1: Buffer.alloc(32).toString('base64') },
    bounds: testBounds,
    trustedProxies: [],
    sandboxEnabled: false,
    documentationUrl: '',
  }
}

test('property: whatever fails, every target that a route may try lies in its residency', () => {
  fc.assert(
    fc.property(anyRoute, (drawn) => {
      const compiled = compileSnapshot(configOf(drawn), parts)
      const mayGoTo = (region: string | null): boolean =>
        region !== null &&
        drawn.residency.some((each) =>
          each.endsWith('*') ? region.startsWith(each.slice(0, -1)) : region === each,
        )
      const expected = drawn.targets.flatMap(({ region }, index) => (mayGoTo(region) ? [`d${index}`] : []))
      for (const name of ['gpt', 'alias']) {
        const route = findRoute(compiled, 'org_a', name)
        assert.ok(route !== null)
        assert.deepEqual(route.targets.map(({ deployment }) => deployment.id).sort(), expected)
        let now = Date.now()
        for (const [index, failure] of drawn.failing) {
          const facts = { failure, retryAfterMs: null, elapsedMs: 1, streamed: false, isTrial: false }
          route.targets[index]?.health.failed(facts, route.terms, { now, monotonic: now })
          now += 100
          const ordered = orderTargets(usableTargets(route.targets, route.terms, now), {
            strategy: route.terms.strategy,
            canaryPercent: route.terms.canary?.percent ?? null,
            conversation: drawn.conversation,
            streamed: false,
            monotonic: now,
            random: Math.random,
          })
          for (const { deployment } of ordered) assert.ok(expected.includes(deployment.id))
        }
      }
    }),
    { numRuns: 200 },
  )
})
