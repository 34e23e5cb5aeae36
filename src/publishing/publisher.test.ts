import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openFileSecretBox } from '../adapters/file-secret-box/open-file-secret-box.ts'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import { parseResources } from '../config/index.ts'
import { defaultConfig } from '../config/load.ts'
import { planRuleId } from '../domain/limits.ts'
import type { SnapshotMessage } from '../domain/snapshot.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { newId } from '../kernel/ids.ts'
import type { SecretBox } from '../ports/secret-box.ts'
import type { Store } from '../ports/store.ts'
import { applyDesired } from '../resources/apply-document.ts'
import { readDesired } from '../resources/desired.ts'
import { createPublisher, type Publisher } from './publisher.ts'

const now = Date.UTC(2026, 10, 23)

interface Fixture {
  readonly store: Store
  readonly secretBox: SecretBox
  readonly publisher: Publisher
  readonly sent: SnapshotMessage[]
  readonly references: Map<string, string>
  refusal: string | null
  /** Slug of a deployment that the data plane could not compile. */
  broken: string | null
  sandboxEnabled: boolean
  apply(document: string): Promise<unknown>
}

async function openFixture(t: TestContext): Promise<Fixture> {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-publishing-'))
  const { store, close } = await openSqliteStore({ path: ':memory:' })
  const secretBox = openFileSecretBox({ path: join(directory, 'root.key') })
  const config = defaultConfig()
  const state = { refusal: null as string | null, broken: null as string | null, sandboxEnabled: true }
  const sent: SnapshotMessage[] = []
  const references = new Map([['env:OPENAI_API_KEY', 'sk-from-environment']])
  const publisher = createPublisher({
    store,
    sources: () => ({
      settings: {
        prices: [],
        peppers: {},
        bounds: config.bounds,
        timeouts: config.timeouts,
        trustedProxies: [],
        sandboxEnabled: state.sandboxEnabled,
        documentationUrl: '',
      },
      secretBox,
      readReference: (reference) => references.get(reference) ?? null,
      checkDeployment: ({ slug }) => {
        if (slug === state.broken)
          throw new Fault(faults.configInvalid, { public: { reason: 'it cannot be' } })
      },
    }),
    check: () => {
      if (state.refusal !== null) throw new Fault(faults.configInvalid, { public: { reason: state.refusal } })
    },
    send: (message) => sent.push(message),
    now: () => now,
    pollMs: 20,
  })
  t.after(async () => {
    publisher.stop()
    await close()
    rmSync(directory, { recursive: true })
  })
  const apply = (document: string) =>
    applyDesired(
      store,
      readDesired(parseResources(document, 'x').value, () => {}),
      { managedBy: 'file', now },
    )
  return Object.assign(state, { store, secretBox, publisher, sent, references, apply })
}

const document = `
organizations: [{ slug: acme }]
deployments:
  - { slug: main, provider: openai, credential: { apiKey: env:OPENAI_API_KEY } }
  - { slug: box, provider: sandbox }
models:
  - { name: gpt, targets: [{ deployment: main }] }
  - { name: off, enabled: false, targets: [{ deployment: main }] }
products:
  - { slug: chat, models: [gpt] }
  - { slug: draft, state: draft }
  - { slug: old, state: deprecated, models: [old] }
  - { slug: gone, state: retired }
applications: [{ slug: shop, products: [chat, draft, old, gone] }]
`

function lastConfig(sent: readonly SnapshotMessage[]) {
  const message = sent.findLast((each) => each.type === 'config')
  assert.ok(message?.type === 'config')
  return message.config
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 3000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('it did not come to be')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

test('limits, plans and teams are published, names as ids', async (t) => {
  const { store, apply, publisher, sent } = await openFixture(t)
  await apply(`
organizations: [{ slug: acme }]
products: [{ slug: chat }]
plans: [{ slug: team, limits: [{ name: budget, meter: cost, amount: 2, window: { calendar: month } }] }]
limits:
  - name: shops
    meter: requests
    amount: 10
    window: minute
    match: { applications: [shop*, bot], products: [chat], models: [gpt-*] }
  - { name: nobody, meter: requests, amount: 1, window: day, match: { applications: [absent] } }
applications:
  - { slug: shop-a, team: retail, products: [{ product: chat, plan: team }] }
  - { slug: shop-b, products: [chat] }
  - { slug: other }
`)
  const organizationId = (await store.organizations.find('acme'))?.id ?? ''
  const idOf = async (table: 'applications' | 'products' | 'plans' | 'limits', name: string) =>
    (await store[table].find(organizationId, name))?.id ?? ''
  const plan = await idOf('plans', 'team')
  const topUp = {
    organizationId,
    createdAt: now,
    updatedAt: now,
    managedBy: 'api',
    meter: 'cost',
    subject: 'x',
    amount: 5,
    at: now,
    note: '',
  } as const
  const limitId = planRuleId(plan, 'budget')
  await store.topUps.create({ ...topUp, id: 'tup_1', limitId })
  await store.topUps.create({ ...topUp, id: 'tup_past', limitId, at: now - 33 * 86_400_000 })
  await store.topUps.create({ ...topUp, id: 'tup_other_meter', limitId, meter: 'requests' })
  await publisher.start()
  const config = lastConfig(sent)
  const shops = config.limits.find(({ name }) => name === 'shops')
  assert.deepEqual(
    shops?.match.applications?.toSorted(),
    [await idOf('applications', 'shop-a'), await idOf('applications', 'shop-b')].toSorted(),
  )
  assert.deepEqual(shops?.match.products, [await idOf('products', 'chat')])
  assert.deepEqual([shops?.match.models, shops?.match.teams], [['gpt-*'], null])
  assert.deepEqual(config.limits.find(({ name }) => name === 'nobody')?.match.applications, [])
  assert.deepEqual(
    config.plans.map(({ id, slug, limits }) => [id, slug, limits.map(({ amount }) => amount)]),
    [[plan, 'team', [2_000_000]]],
  )
  assert.deepEqual(
    config.topUps.map(({ id }) => id),
    ['tup_1'],
  )
  const shop = config.applications.find(({ team }) => team === 'retail')
  assert.deepEqual(
    shop?.grants.map(({ planId }) => planId),
    [plan],
  )
})

test('a start sends the whole configuration, then all keys', async (t) => {
  const { apply, publisher, sent } = await openFixture(t)
  await apply(document)
  await publisher.start()
  assert.deepEqual(
    sent.map((message) => message.type),
    ['config', 'keys'],
  )
  assert.ok(sent[1]?.type === 'keys' && sent[1].reset)
  const config = lastConfig(sent)
  assert.deepEqual(
    new Map(config.deployments.map((each) => [each.slug, each.secrets])),
    new Map<string, object>([
      ['box', {}],
      ['main', { apiKey: 'sk-from-environment' }],
    ]),
  )
  assert.deepEqual(
    config.routes.map((route) => route.name),
    ['gpt'],
  )
  assert.equal(
    config.routes[0]?.targets[0]?.deployment,
    config.deployments.find((each) => each.slug === 'main')?.id,
  )
  assert.deepEqual(
    [publisher.state.problem, publisher.state.routeCount, publisher.state.appliedAt],
    [null, 1, now],
  )
})

test('grants follow from active subscriptions to products that serve: published and deprecated ones', async (t) => {
  const { apply, publisher, sent, store } = await openFixture(t)
  await apply(document)
  await publisher.start()
  const models = () =>
    lastConfig(sent)
      .applications[0]?.grants.map((grant) => grant.models)
      .sort()
  assert.deepEqual(models(), [['gpt'], ['old']])
  const organizationId = (await store.organizations.find('acme'))?.id ?? ''
  const { items } = await store.subscriptions.list(organizationId)
  for (const { id } of items)
    await store.subscriptions.update(organizationId, id, { patch: { state: 'paused' }, now })
  await until(() => models()?.length === 0)
})

test('changes are sent without being asked for', async (t) => {
  const { apply, publisher, sent } = await openFixture(t)
  await apply(document)
  await publisher.start()
  await apply(document.replace('name: gpt', 'name: better'))
  await until(() => lastConfig(sent).routes[0]?.name === 'better')
  assert.ok(lastConfig(sent).version > 0)
})

test('what cannot be compiled is not sent, stays visible as a problem, and is over with the next good one', async (t) => {
  const fixture = await openFixture(t)
  const { apply, publisher, sent } = fixture
  await apply(document)
  await publisher.start()
  const count = sent.length
  fixture.refusal = 'the price of nothing'
  await apply(document.replace('name: gpt', 'name: bad'))
  await until(() => publisher.state.problem !== null)
  assert.match(publisher.state.problem ?? '', /the price of nothing/)
  assert.equal(sent.length, count)
  await assert.rejects(publisher.republish())
  fixture.refusal = null
  await publisher.republish()
  assert.equal(publisher.state.problem, null)
  assert.equal(lastConfig(sent).routes[0]?.name, 'bad')
})

test('a first snapshot that is refused refuses the start', async (t) => {
  const fixture = await openFixture(t)
  fixture.refusal = 'no'
  await assert.rejects(fixture.publisher.start())
  assert.equal(fixture.sent.length, 0)
})

test('a deployment whose credential cannot be read is left out by name, without its secret', async (t) => {
  const { apply, publisher, sent, references } = await openFixture(t)
  references.clear()
  await apply(document)
  await publisher.start()
  assert.deepEqual(
    lastConfig(sent).deployments.map((each) => each.slug),
    ['box'],
  )
  assert.deepEqual(publisher.state.warnings, [
    'deployment main: its credential cannot be read; it is out of service',
  ])
})

test('a deployment that cannot be compiled is left out by name, and holds up nothing else', async (t) => {
  const fixture = await openFixture(t)
  await fixture.apply(twoDeployments)
  fixture.broken = 'sandbox'
  await fixture.publisher.start()
  const config = fixture.sent.find((message) => message.type === 'config')?.config
  assert.deepEqual(
    config?.deployments.map(({ slug }) => slug),
    ['openai'],
  )
  assert.match(fixture.publisher.state.warnings.join(), /deployment sandbox: .*it cannot be/)
  assert.equal(fixture.publisher.state.problem, null)
})

const twoDeployments = `
deployments:
  - { slug: openai, provider: openai, credential: { apiKey: env:OPENAI_API_KEY } }
  - { slug: sandbox, provider: sandbox }
`

test('the sandbox is left out where it is off', async (t) => {
  const fixture = await openFixture(t)
  fixture.sandboxEnabled = false
  await fixture.apply(document)
  await fixture.publisher.start()
  assert.deepEqual(
    lastConfig(fixture.sent).deployments.map((each) => each.slug),
    ['main'],
  )
  assert.match(fixture.publisher.state.warnings[0] ?? '', /box: the sandbox is off/)
})

test('a start sends all keys in one message, for a reset with some of them would revoke the others', async (t) => {
  const { apply, publisher, sent, store } = await openFixture(t)
  await apply(document)
  const organization = await store.organizations.find('acme')
  const application = await store.applications.find(organization?.id ?? '', 'shop')
  assert.ok(organization !== null && application !== null)
  const count = 1203
  await store.transaction(async (tables) => {
    for (let index = 0; index < count; index += 1) {
      const keyId = `key${String(index).padStart(9, '0')}`
      const secret = { keyId, version: 1, hash: 'h', pepperVersion: 1, createdAt: now, expiresAt: null }
      await tables.keys.create(
        {
          id: newId('key'),
          createdAt: now,
          updatedAt: now,
          managedBy: 'api',
          organizationId: organization.id,
          applicationId: application.id,
          keyId,
          name: 'k',
          environment: 'live',
          state: 'active',
          models: null,
          operations: null,
          cidrs: [],
          expiresAt: null,
          lastUsedAt: null,
          revokedAt: null,
          quarantine: null,
          leaks: [],
        },
        [secret],
      )
    }
  })
  await publisher.start()
  const resets = sent.filter((message) => message.type === 'keys' && message.reset)
  assert.deepEqual(
    resets.map((message) => (message.type === 'keys' ? message.upsert.length : 0)),
    [count],
  )
})

test('a configuration that the store could not give is asked for again', async (t) => {
  const { apply, publisher, sent, store } = await openFixture(t)
  await apply(document)
  await publisher.start()
  const load = store.loadConfiguration
  let failures = 0
  t.mock.method(store, 'loadConfiguration', () => {
    failures += 1
    return failures < 3 ? Promise.reject(new Error('busy')) : load.call(store)
  })
  const before = sent.length
  await apply(document.replace('products: [chat,', 'products: ['))
  await until(() => sent.slice(before).some((message) => message.type === 'config'))
  assert.equal(
    lastConfig(sent).applications[0]?.grants.some((grant) => grant.models.includes('gpt')),
    false,
  )
})
