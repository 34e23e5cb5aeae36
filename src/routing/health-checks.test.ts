import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoutePolicy } from '../domain/routing.ts'
import type { DeploymentSnapshot, SnapshotConfig } from '../domain/snapshot.ts'
import { describeHealth } from './describe-health.ts'
import { start } from './harness/test-health.ts'
import { type CheckOutcome, createHealthChecks } from './health-checks.ts'
import { createHealthBook, targetName } from './target-health.ts'

function deploymentOf(id: string, apiKey = 'k'): DeploymentSnapshot {
  const timeouts = { connectMs: 1, firstByteMs: 1, idleMs: 1, totalMs: 1 }
  const own = { id, slug: id, organizationId: 'org_a', providerId: 'openai', secrets: { apiKey }, timeouts }
  return { ...own, baseUrl: null, dialect: null, region: null, settings: {}, allowPrivateNetwork: false }
}

function configOf(deployments: readonly DeploymentSnapshot[], policy: RoutePolicy): SnapshotConfig {
  const targets = deployments.map(({ id }) => ({ deployment: id, model: 'm', priority: 0, weight: 1 }))
  const route = {
    organizationId: 'org_a',
    name: 'gpt',
    aliases: [],
    createdAt: 0,
    targets,
    timeouts: {},
    policy,
  }
  return { deployments, routes: [route] } as unknown as SnapshotConfig
}

/** Checks in a time that moves only when it is told to. */
function checksAt(outcomes: Map<string, CheckOutcome>) {
  let now = start
  const due: { at: number; step: () => void }[] = []
  const asked: string[] = []
  const book = createHealthBook()
  const checks = createHealthChecks({
    book,
    now: () => now,
    after(delayMs, step) {
      const entry = { at: now + delayMs, step }
      due.push(entry)
      return () => due.splice(due.indexOf(entry), 1)
    },
    check(deployment) {
      asked.push(deployment.id)
      return Promise.resolve(outcomes.get(deployment.id) ?? 'good')
    },
  })
  return {
    checks,
    book,
    asked,
    due,
    async pass(ms: number) {
      const end = now + ms
      for (;;) {
        due.sort((a, b) => a.at - b.at)
        const next = due[0]
        if (next === undefined || next.at > end) break
        due.shift()
        now = next.at
        next.step()
        await Promise.resolve()
      }
      now = end
    },
    now: () => now,
  }
}

const policy: RoutePolicy = { healthCheck: { intervalMs: 1000 } }

test('what fails two checks in a row goes out of use, and one that succeeds brings it back', async () => {
  const outcomes = new Map<string, CheckOutcome>([['bad', 'failed']])
  const run = checksAt(outcomes)
  const config = configOf([deploymentOf('good'), deploymentOf('bad')], policy)
  run.checks.apply(config)
  const [route] = config.routes
  if (route === undefined) throw new TypeError('no route')
  const states = () =>
    describeHealth(route, { config, book: run.book, now: run.now() }).map(({ trouble }) => trouble)
  await run.pass(1000)
  assert.deepEqual(states(), ['none', 'none'])
  await run.pass(1000)
  assert.deepEqual(states(), ['none', 'unhealthy'])
  await run.pass(60_000)
  assert.deepEqual(states(), ['none', 'unhealthy'])
  outcomes.set('bad', 'good')
  await run.pass(1000)
  assert.deepEqual(states(), ['none', 'none'])
})

test('a refused credential retires the deployment; a good check of the same one brings it back', async () => {
  const outcomes = new Map<string, CheckOutcome>([['a', 'credential-refused']])
  const run = checksAt(outcomes)
  run.checks.apply(configOf([deploymentOf('a')], policy))
  const { deployment } = run.book.of(targetName(deploymentOf('a'), 'm'))
  await run.pass(1000)
  assert.equal(deployment.trouble, 'retired')
  outcomes.set('a', 'good')
  await run.pass(1000)
  assert.equal(deployment.trouble, 'none')
})

test('nothing is checked that no route asks for; an unchanged deployment keeps its turn over snapshots', async () => {
  const run = checksAt(new Map())
  run.checks.apply(configOf([deploymentOf('a')], {}))
  await run.pass(10_000)
  assert.deepEqual(run.asked, [])
  for (let each = 0; each < 10; each += 1) {
    run.checks.apply(configOf([deploymentOf('a'), deploymentOf('b', `k${each}`)], policy))
    await run.pass(600)
  }
  assert.deepEqual(new Set(run.asked), new Set(['a']))
  assert.equal(run.asked.length, 6)
  run.checks.stop()
  assert.equal(run.due.length, 0)
})
