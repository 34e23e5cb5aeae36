import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import { parseResources } from '../config/index.ts'
import type { Fault } from '../kernel/fault.ts'
import type { Store } from '../ports/store.ts'
import { applyDesired, createDocumentManager, type DocumentManager } from './apply-document.ts'
import { readDesired } from './desired.ts'
import { applyEnvironment } from './environment.ts'
import { makeFirstObjects } from './first-start.ts'
import type { ResourceChange } from './reconcile.ts'

const now = Date.UTC(2026, 10, 23)

interface Fixture {
  readonly store: Store
  readonly documents: DocumentManager
}

async function openFixture(t: TestContext, fileManaged = false): Promise<Fixture> {
  const { store, close } = await openSqliteStore({ path: ':memory:' })
  t.after(close)
  const clock = { now: () => now, monotonic: () => now }
  return { store, documents: createDocumentManager({ store, clock, fileManaged: () => fileManaged }) }
}

const document = `
organizations: [{ slug: acme, name: Acme }]
deployments:
  - { slug: main, provider: openai, credential: { apiKey: env:OPENAI_API_KEY } }
models:
  - { name: gpt, targets: [{ deployment: main, model: gpt-4o }], aliases: [best] }
products: [{ slug: chat, models: [gpt] }]
applications: [{ slug: shop, products: [chat] }]
`

const lines = (changes: readonly ResourceChange[]): string[] =>
  changes.map(({ action, noun, name, fields }) => `${action} ${noun} ${name} ${fields.join(',')}`.trim())

async function refusal(step: Promise<unknown>): Promise<Fault> {
  return step.then(
    () => assert.fail('it was not refused'),
    (error: unknown) => error as Fault,
  )
}

/** Everything in the store that a document can manage, as text. */
const contents = (documents: DocumentManager): Promise<string> => documents.export()

test('a document makes what it names, in an order in which everything refers to what is there', async (t) => {
  const { store, documents } = await openFixture(t)
  assert.deepEqual(lines(await documents.apply(document)), [
    'create organization acme',
    'create deployment main',
    'create model gpt',
    'create product chat',
    'create application shop',
    'create subscription shop/chat',
  ])
  const organization = await store.organizations.find('acme')
  const route = await store.routes.find(organization?.id ?? '', 'gpt')
  assert.deepEqual([route?.aliases, route?.targets[0]?.model, route?.managedBy], [['best'], 'gpt-4o', 'file'])
})

test('applied twice it changes nothing the second time', async (t) => {
  const { documents } = await openFixture(t)
  await documents.apply(document)
  assert.deepEqual(await documents.apply(document), [])
})

test('what a document changes is named by field; what it leaves out is removed again', async (t) => {
  const { documents } = await openFixture(t)
  await documents.apply(document)
  const changed = document
    .replace('model: gpt-4o', 'model: gpt-4.1')
    .replace('products: [chat] }]', '}]')
    .replace('products: [{ slug: chat, models: [gpt] }]', '')
    .replace(/applications: .*/, 'applications: [{ slug: shop }]')
  assert.deepEqual(lines(await documents.apply(changed)), [
    'update model gpt targets',
    'remove subscription shop/chat',
    'remove product chat',
  ])
})

test('diff tells what apply does, and leaves nothing behind', async (t) => {
  const { store, documents } = await openFixture(t)
  await documents.apply(document)
  const next = document.replace('slug: main', 'slug: other').replace('deployment: main', 'deployment: other')
  const before = await contents(documents)
  const versions = await store.versions()
  const told = await documents.diff(next)
  assert.ok(told.length >= 3)
  assert.equal(await contents(documents), before)
  assert.deepEqual(await store.versions(), versions)
  assert.deepEqual(lines(await documents.apply(next)), lines(told))
})

test('what others made stays untouched, and its name is refused, not taken over', async (t) => {
  const { store, documents } = await openFixture(t)
  const desired = readDesired(parseResources(document, 'x').value, () => {})
  await applyDesired(store, desired, { managedBy: 'api', now })
  assert.deepEqual(await documents.apply('organizations: [{ slug: acme, name: Acme }]'), [])
  const before = await contents(documents)
  const fault = await refusal(documents.apply(document))
  assert.equal(fault.code, 'config.invalid')
  assert.match(fault.publicText, /deployment main exists already and is managed by api/)
  assert.equal(await contents(documents), before)
})

test('all or nothing: a mistake in the last object undoes the first', async (t) => {
  const { documents } = await openFixture(t)
  const before = await contents(documents)
  const fault = await refusal(documents.apply(document.replace('products: [chat] }', 'products: [nope] }')))
  assert.match(fault.publicText, /document:\d+.*there is no product nope/)
  assert.equal(await contents(documents), before)
})

test('mistakes are named with their line: unknown keys, names twice, references to nothing', async (t) => {
  const { documents } = await openFixture(t)
  const cases: [string, RegExp][] = [
    [
      'deployments:\n  - { slug: a, provider: openai, nope: 1 }',
      /document:2: deployments\[0\]\.nope: is not a known key/,
    ],
    ['products:\n  - { slug: a }\n  - { slug: a }', /document:3: .*appears twice/],
    ['models:\n  - name: m\n    targets:\n      - { deployment: gone }', /document:\d+: .*gone/],
  ]
  for (const [text, expected] of cases)
    assert.match((await refusal(documents.apply(text))).publicText, expected)
})

test('what is exported is a document that means the same', async (t) => {
  const { documents } = await openFixture(t)
  await documents.apply(document)
  assert.deepEqual(await documents.apply(await documents.export()), [])
})

test("while the server's own file holds objects nothing can be applied beside it, but looked at", async (t) => {
  const { documents } = await openFixture(t, true)
  assert.equal((await refusal(documents.apply(document))).code, 'admin.read-only')
  assert.ok((await documents.diff(document)).length > 0)
})

test('key policies come from a document, also for the organization of the first start, and go with it', async (t) => {
  const { store, documents } = await openFixture(t)
  await makeFirstObjects(store, { now, sandboxProvider: 'sandbox' })
  const apply = (text: string) => documents.apply(text)
  const policyOf = async (slug: string) => (await store.organizations.find(slug))?.keyPolicy
  const said = `
organizations:
  - { slug: default, keyPolicy: { maxLifetimeDays: 90 } }
  - { slug: acme, keyPolicy: { rotateEveryDays: 30, whenRotationOverdue: refuse } }
applications: [{ slug: shop, organization: acme, keyPolicy: { networks: required } }]
`
  assert.ok(lines(await apply(said)).includes('update organization default keyPolicy'))
  assert.deepEqual(await policyOf('default'), { maxLifetimeDays: 90 })
  assert.deepEqual(await policyOf('acme'), { rotateEveryDays: 30, whenRotationOverdue: 'refuse' })
  const acme = (await store.organizations.find('acme'))?.id ?? ''
  assert.deepEqual((await store.applications.find(acme, 'shop'))?.keyPolicy, { networks: 'required' })
  assert.deepEqual(lines(await apply(said)), [])
  const exported = await documents.export()
  for (const each of [/maxLifetimeDays: 90/, /rotateEveryDays: 30/, /networks: required/])
    assert.match(exported, each)
  await apply('organizations: [{ slug: default }, { slug: acme }]')
  assert.deepEqual([await policyOf('default'), await policyOf('acme')], [{ maxLifetimeDays: 90 }, {}])
  await apply('organizations: [{ slug: default, keyPolicy: {} }, { slug: acme }]')
  assert.deepEqual(await policyOf('default'), {})
})

test('the first start makes its objects once', async (t) => {
  const { store, documents } = await openFixture(t)
  assert.ok(await makeFirstObjects(store, { now, sandboxProvider: 'sandbox' }))
  assert.equal(await makeFirstObjects(store, { now, sandboxProvider: 'sandbox' }), null)
  assert.match(await documents.export(), /everything/)
})

test('what the environment gave goes when its variable goes, and yields to what the operator made', async (t) => {
  const { store } = await openFixture(t)
  await makeFirstObjects(store, { now, sandboxProvider: 'sandbox' })
  const organizationId = (await store.organizations.find('default'))?.id ?? ''
  const found = {
    provider: { id: 'openai', modelPatterns: ['gpt-*'] } as never,
    baseUrl: null,
    region: null,
    settings: {},
    references: { apiKey: 'env:OPENAI_API_KEY' },
    allowPrivateNetwork: false,
    knownModels: ['gpt-4o', 'sandbox'],
  }
  const routes = async (): Promise<string[]> =>
    (await store.routes.list(organizationId, { limit: 100 })).items
      .filter((route) => route.managedBy === 'environment')
      .map((route) => route.name)
      .sort()
  assert.deepEqual(await applyEnvironment(store, [found], now), ['openai'])
  assert.deepEqual(await routes(), ['gpt-*', 'gpt-4o', 'openai/*'], 'the name of the operator stays theirs')
  assert.deepEqual(await applyEnvironment(store, [], now), [])
  assert.deepEqual(await routes(), [])
})
