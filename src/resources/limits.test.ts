import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import type { Fault } from '../kernel/fault.ts'
import { createDocumentManager } from './apply-document.ts'

const now = Date.UTC(2026, 10, 23)

async function open(t: TestContext) {
  const { store, close } = await openSqliteStore({ path: ':memory:' })
  t.after(close)
  const clock = { now: () => now, monotonic: () => now }
  const documents = createDocumentManager({ store, clock, fileManaged: () => false })
  const apply = async (text: string): Promise<string[]> =>
    (await documents.apply(text)).map(({ action, noun, name, fields }) =>
      `${action} ${noun} ${name} ${fields.join(',')}`.trim(),
    )
  return { store, documents, apply }
}

const document = `
organizations: [{ slug: acme }]
products: [{ slug: chat }, { slug: images }]
plans:
  - slug: team
    priority: high
    queue: { maxWaitMs: 2000 }
    limits:
      - { name: rate, meter: requests, amount: 100, window: minute, whenExceeded: queue }
      - { name: budget, meter: cost, amount: 500, window: { calendar: month, timeZone: Europe/Berlin }, alertsAt: [0.8] }
  - { slug: free }
limits:
  - name: per-user
    meter: total-tokens
    amount: 100000
    window: { rolling: 1h, burst: 20000 }
    per: [user, model]
    match: { applications: [shop*], models: [gpt-*] }
  - { name: at-once, meter: concurrent-streams, amount: 50 }
applications:
  - { slug: shop, team: retail, products: [images, { product: chat, plan: team }] }
`

test('a document makes plans, limits, teams, and subscriptions with a plan', async (t) => {
  const { store, apply } = await open(t)
  assert.deepEqual(await apply(document), [
    'create organization acme',
    'create product chat',
    'create product images',
    'create plan team',
    'create plan free',
    'create application shop',
    'create limit per-user',
    'create limit at-once',
    'create subscription shop/images',
    'create subscription shop/chat',
  ])
  const organizationId = (await store.organizations.find('acme'))?.id ?? ''
  const plan = await store.plans.find(organizationId, 'team')
  assert.deepEqual(
    [plan?.priority, plan?.weight, plan?.queue],
    ['high', 1, { maxWaitMs: 2000, maxLength: 100 }],
  )
  assert.deepEqual(
    plan?.limits.map(({ name, amount, window }) => [name, amount, window]),
    [
      ['rate', 100, { kind: 'rolling', ms: 60_000, burst: null }],
      ['budget', 500_000_000, { kind: 'calendar', period: 'month', timeZone: 'Europe/Berlin' }],
    ],
  )
  const limit = await store.limits.find(organizationId, 'per-user')
  assert.deepEqual(
    [limit?.managedBy, limit?.match.applications, limit?.match.teams],
    ['file', ['shop*'], null],
  )
  assert.equal((await store.applications.find(organizationId, 'shop'))?.team, 'retail')
  const subscribed = async (product: string): Promise<string | null | undefined> => {
    const productId = (await store.products.find(organizationId, product))?.id
    const { items } = await store.subscriptions.list(organizationId)
    return items.find((each) => each.productId === productId)?.planId
  }
  assert.deepEqual([await subscribed('images'), await subscribed('chat')], [null, plan?.id])
})

test('an exported document means the same again', async (t) => {
  const { documents, apply } = await open(t)
  await apply(document)
  const exported = await documents.export()
  assert.match(exported, /amount: 500\n/)
  assert.match(exported, /- product: chat\n\s+plan: team\n/)
  assert.deepEqual(await documents.diff(exported), [])
})

test('an export has everything, however much there is', async (t) => {
  const { documents, apply } = await open(t)
  const names = Array.from({ length: 510 }, (_, index) => `  - { slug: plan-${index} }\n`)
  await apply(`organizations: [{ slug: acme }]\nplans:\n${names.join('')}`)
  const exported = await documents.export()
  assert.equal(exported.match(/slug: plan-/g)?.length, names.length)
})

test('a changed document changes limits in place, and takes away what it no longer names', async (t) => {
  const { store, apply } = await open(t)
  await apply(document)
  const organizationId = (await store.organizations.find('acme'))?.id ?? ''
  const before = await store.limits.find(organizationId, 'per-user')
  const changed = document
    .replace('amount: 100000', 'amount: 200000')
    .replace(/ {2}- \{ name: at-once.*\n/, '')
    .replace('plan: team }', 'plan: free }')
    .replace('images, {', '{')
  assert.deepEqual(await apply(changed), [
    'update limit per-user amount',
    'update subscription shop/chat planId',
    'remove subscription shop/images',
    'remove limit at-once',
  ])
  const after = await store.limits.find(organizationId, 'per-user')
  // The id names the counters: what was used stays used.
  assert.deepEqual([after?.id, after?.amount], [before?.id, 200_000])
})

test('a plan that another manager holds in use is not taken away silently', async (t) => {
  const { store, apply } = await open(t)
  await apply(document)
  const organizationId = (await store.organizations.find('acme'))?.id ?? ''
  const [free, images] = [
    await store.plans.find(organizationId, 'free'),
    await store.products.find(organizationId, 'images'),
  ]
  const subscription = {
    id: 'sub_1',
    organizationId,
    createdAt: now,
    updatedAt: now,
    managedBy: 'api',
    state: 'active',
  } as const
  const application = { ...subscription, slug: 'bot', name: 'Bot', description: '', team: '', keyPolicy: {} }
  await store.applications.create({ ...application, id: 'app_bot' })
  const ends = { applicationId: 'app_bot', productId: images?.id ?? '', planId: free?.id ?? '' }
  await store.subscriptions.create({ ...subscription, ...ends })
  await assert.rejects(apply(document.replace('  - { slug: free }\n', '')), /plan.*in use|used by/i)
  assert.notEqual(await store.plans.find(organizationId, 'free'), null)
})

async function problemsOf(apply: (text: string) => Promise<unknown>, text: string): Promise<string> {
  return apply(text).then(
    () => assert.fail('it was not refused'),
    (error: Fault) => error.publicText,
  )
}

test('each mistake is told with line and path, and nothing is stored', async (t) => {
  const { store, apply } = await open(t)
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['window: { rolling: 1h, burst: 20000 }', 'window: 40d', /document:16: limits\[0\]\.window: is longer/],
    [
      'timeZone: Europe/Berlin',
      'timeZone: Mars/X',
      /document:10: plans\[0\]\.limits\[1\]\.window\.timeZone: /,
    ],
    ['name: budget', 'name: rate', /document:10: plans\[0\]\.limits\[1\]\.name: .*twice/],
    ['amount: 50 }', 'amount: 50, window: day }', /document:19: limits\[1\]\.window: .*no window/],
    ['window: minute,', 'window: minutes,', /document:9: plans\[0\]\.limits\[0\]\.window: must be second, /],
    ['plan: team }', 'plan: gone }', /document:21: applications\[0\]: .*there is no plan gone/],
    ['slug: free', 'slug: team', /document:11: plans\[1\]: the name team appears twice/],
    ['name: at-once', 'name: per-user', /document:19: limits\[1\]: the name per-user appears twice/],
  ]
  for (const [from, to, expected] of cases) {
    assert.ok(document.includes(from), from)
    assert.match(await problemsOf(apply, document.replace(from, to)), expected)
  }
  assert.deepEqual((await store.organizations.list()).items, [])
})
