/** What every Store adapter guarantees. `open` gives an empty store; the suite closes it. */
import assert from 'node:assert/strict'
import { testKeysAndAdministration, testTransactions, testVersions } from './store.contract-changes.ts'
import { testLimits } from './store.contract-limits.ts'
import {
  type OpenStore,
  rejectsWith,
  sampleApplication,
  sampleDeployment,
  sampleKey,
  sampleOrganization,
  sampleProduct,
  sampleRoute,
  sampleSecret,
  sampleSubscription,
  start,
  storeTest,
} from './store.contract-samples.ts'
import { testTokens } from './store.contract-tokens.ts'

function testRecords(open: OpenStore): void {
  const check = storeTest(open)

  check('a record comes back as it was stored', async (store) => {
    const deployment = sampleDeployment('org_a', 'dep_1')
    await store.deployments.create(deployment)
    assert.deepEqual(await store.deployments.get('org_a', 'dep_1'), deployment)
    assert.deepEqual(await store.deployments.find('org_a', 'dep_1'), deployment)
    const key = sampleKey('org_a', 'app_org_a', 'k1')
    await store.keys.create(key, [sampleSecret(key, 1)])
    assert.deepEqual(await store.keys.get('org_a', 'k1'), key)
    assert.deepEqual(await store.keys.find('org_a', key.keyId), key)
    assert.deepEqual(await store.keys.secrets('org_a', 'k1'), [sampleSecret(key, 1)])
  })

  check('another organization neither sees nor changes nor removes a record', async (store) => {
    assert.equal(await store.applications.get('org_b', 'app_org_a'), null)
    assert.equal((await store.applications.find('org_b', 'main'))?.id, 'app_org_b')
    const page = await store.applications.list('org_b')
    assert.deepEqual(
      page.items.map((item) => item.id),
      ['app_org_b'],
    )
    const change = { patch: { name: 'x' }, now: start + 1 }
    await rejectsWith(store.applications.update('org_b', 'app_org_a', change), 'admin.not-found')
    await rejectsWith(store.applications.remove('org_b', 'app_org_a'), 'admin.not-found')
    assert.equal((await store.applications.get('org_a', 'app_org_a'))?.name, 'app_org_a')
  })

  check('a missing organization id is an error, never all organizations', async (store) => {
    const missing: unknown = undefined
    await assert.rejects(async () => store.applications.list(missing as string))
    await assert.rejects(async () => store.applications.get(null as unknown as string, 'app_org_a'))
  })

  check('a record cannot refer into another organization', async (store) => {
    const key = sampleKey('org_a', 'app_org_b', 'k1')
    await rejectsWith(store.keys.create(key, []), 'admin.not-found')
    await rejectsWith(store.applications.create(sampleApplication('org_none', 'app_x')), 'admin.not-found')
  })

  check('a name is unique within its organization', async (store) => {
    const twin = { ...sampleApplication('org_a', 'app_2'), slug: 'main' }
    await rejectsWith(store.applications.create(twin), 'admin.conflict')
    await rejectsWith(
      store.organizations.create({ ...sampleOrganization('org_c'), slug: 'org_a' }),
      'admin.conflict',
    )
    const product = sampleProduct('org_a', 'prod_1')
    await store.products.create(product)
    const subscription = sampleSubscription('org_a', 'sub_1')
    await store.subscriptions.create(subscription)
    await rejectsWith(store.subscriptions.create({ ...subscription, id: 'sub_2' }), 'admin.conflict')
    assert.equal((await store.subscriptions.find('org_a', 'app_org_a/prod_1'))?.id, 'sub_1')
  })

  check('an update keeps identity, moves updatedAt forward and refuses a stale reader', async (store) => {
    const first = await store.applications.update('org_a', 'app_org_a', {
      patch: { name: 'new' },
      now: start,
      expectedUpdatedAt: start,
    })
    assert.equal(first.name, 'new')
    assert.equal(first.slug, 'main')
    assert.equal(first.updatedAt, start + 1)
    const stale = { patch: { name: 'late' }, now: start + 5, expectedUpdatedAt: start }
    await rejectsWith(store.applications.update('org_a', 'app_org_a', stale), 'admin.stale-update')
    assert.deepEqual(await store.applications.get('org_a', 'app_org_a'), first)
  })

  check('what is in use cannot be removed', async (store) => {
    await rejectsWith(store.organizations.remove('org_a'), 'admin.in-use')
    const key = sampleKey('org_a', 'app_org_a', 'k1')
    await store.keys.create(key, [])
    await rejectsWith(store.applications.remove('org_a', 'app_org_a'), 'admin.in-use')
    await store.keys.remove('org_a', 'k1')
    await store.applications.remove('org_a', 'app_org_a')
    await store.organizations.remove('org_a')
    assert.equal(await store.organizations.get('org_a'), null)
  })

  check('pages follow each other without gap or repetition, also among equal times', async (store) => {
    for (let index = 0; index < 25; index += 1) {
      const id = `app_${String(index).padStart(2, '0')}`
      const createdAt = start + Math.floor(index / 10)
      await store.applications.create({ ...sampleApplication('org_a', id), createdAt })
    }
    const seen: string[] = []
    let after: string | null = null
    do {
      const page: Awaited<ReturnType<typeof store.applications.list>> = await store.applications.list(
        'org_a',
        after === null ? { limit: 7 } : { limit: 7, after },
      )
      assert.ok(page.items.length <= 7)
      seen.push(...page.items.map((item) => item.id))
      after = page.next
    } while (after !== null)
    assert.equal(seen.length, 26)
    assert.equal(new Set(seen).size, 26)
  })

  check('a cursor or limit that is not ours is refused', async (store) => {
    for (const after of ["' OR 1=1 --", '', 'x'.repeat(1000), 'bm90LWEtY3Vyc29y']) {
      await rejectsWith(store.applications.list('org_a', { after }), 'admin.validation')
    }
    for (const limit of [0, -1, 501, 1.5, Number.NaN]) {
      await rejectsWith(store.applications.list('org_a', { limit }), 'admin.validation')
    }
  })

  check('lists filter by what the noun offers', async (store) => {
    await store.products.create({ ...sampleProduct('org_a', 'prod_1'), state: 'published' })
    await store.products.create(sampleProduct('org_a', 'prod_2'))
    const page = await store.products.list('org_a', { state: 'published' })
    assert.deepEqual(
      page.items.map((item) => item.id),
      ['prod_1'],
    )
  })

  check('values are data: SQL in any field is stored and compared as text', async (store) => {
    const text = `'; DROP TABLE applications; --`
    const record = { ...sampleApplication('org_a', 'app_sql'), name: text, slug: text }
    await store.applications.create(record)
    assert.deepEqual(await store.applications.find('org_a', text), record)
    assert.equal(await store.applications.get('org_a', `' OR '1'='1`), null)
    assert.equal(await store.adminTokens.findByTokenId(`' OR '1'='1`), null)
  })
}

function testRoutesAndCredentials(open: OpenStore): void {
  const check = storeTest(open)

  check('a route name or alias is taken once per organization', async (store) => {
    await store.deployments.create(sampleDeployment('org_a', 'dep_1'))
    await store.routes.create({ ...sampleRoute('org_a', 'gpt', 'dep_1'), aliases: ['fast'] })
    const twin = { ...sampleRoute('org_a', 'other', 'dep_1'), aliases: ['fast'] }
    await rejectsWith(store.routes.create(twin), 'admin.conflict')
    assert.equal((await store.routes.find('org_a', 'fast'))?.id, 'gpt')
    assert.equal(await store.routes.find('org_b', 'fast'), null)
    await store.routes.update('org_a', 'gpt', { patch: { aliases: ['quick'] }, now: start + 1 })
    assert.equal(await store.routes.find('org_a', 'fast'), null)
    await store.routes.create(twin)
    await store.routes.remove('org_a', 'gpt')
    assert.equal(await store.routes.find('org_a', 'quick'), null)
  })

  check('a route keeps the timeouts that it was given, those and no others', async (store) => {
    await store.deployments.create(sampleDeployment('org_a', 'dep_1'))
    const route = sampleRoute('org_a', 'gpt', 'dep_1')
    await store.routes.create(route)
    assert.deepEqual(await store.routes.get('org_a', 'gpt'), route)
    for (const timeouts of [{ connectMs: 10, firstByteMs: 20, idleMs: 30, totalMs: 40 }, { idleMs: 5 }, {}]) {
      await store.routes.update('org_a', 'gpt', { patch: { timeouts }, now: start + 1 })
      assert.deepEqual((await store.routes.get('org_a', 'gpt'))?.timeouts, timeouts)
    }
    assert.deepEqual((await store.loadConfiguration()).routes[0]?.timeouts, {})
  })

  check('a route keeps its policy, whose canary is one of its targets', async (store) => {
    await store.deployments.create(sampleDeployment('org_a', 'dep_1'))
    await store.routes.create(sampleRoute('org_a', 'gpt', 'dep_1'))
    const policy = { canary: { deployment: 'dep_1', percent: 5 }, breaker: null, retry: { rounds: 1 } }
    await store.routes.update('org_a', 'gpt', { patch: { policy }, now: start + 1 })
    assert.deepEqual((await store.loadConfiguration()).routes[0]?.policy, policy)
    const stranger = { canary: { deployment: 'dep_2', percent: 5 } }
    const update = store.routes.update('org_a', 'gpt', { patch: { policy: stranger }, now: start + 2 })
    await rejectsWith(update, 'admin.validation')
  })

  check('a target names an existing deployment, which then cannot be removed', async (store) => {
    await rejectsWith(store.routes.create(sampleRoute('org_a', 'gpt', 'absent')), 'admin.not-found')
    assert.equal(await store.routes.get('org_a', 'gpt'), null)
    await store.deployments.create(sampleDeployment('org_a', 'dep_1'))
    await store.routes.create(sampleRoute('org_a', 'gpt', 'dep_1'))
    await rejectsWith(store.deployments.remove('org_a', 'dep_1'), 'admin.in-use')
    await store.routes.remove('org_a', 'gpt')
    await store.deployments.remove('org_a', 'dep_1')
  })

  check('a credential stays as long as a deployment needs it', async (store) => {
    const credential = { id: 'cred_1', organizationId: 'org_a', sealed: 'gwe1.x', createdAt: start }
    await store.credentials.create(credential)
    const sealed = { kind: 'sealed', credentialId: 'cred_1' } as const
    await store.deployments.create({ ...sampleDeployment('org_a', 'dep_1'), credential: sealed })
    await rejectsWith(store.credentials.remove('org_a', 'cred_1'), 'admin.in-use')
    await store.credentials.setSealed('org_a', 'cred_1', 'gwe1.y')
    assert.equal((await store.credentials.get('org_a', 'cred_1'))?.sealed, 'gwe1.y')
    await rejectsWith(store.credentials.setSealed('org_b', 'cred_1', 'gwe1.z'), 'admin.not-found')
    const patch = { credential: { kind: 'none' } as const }
    await store.deployments.update('org_a', 'dep_1', { patch, now: start + 1 })
    await store.credentials.remove('org_a', 'cred_1')
  })

  check('a deployment cannot use a credential of another organization', async (store) => {
    await store.credentials.create({
      id: 'cred_b',
      organizationId: 'org_b',
      sealed: 'gwe1.x',
      createdAt: start,
    })
    const credential = { kind: 'sealed', credentialId: 'cred_b' } as const
    await rejectsWith(
      store.deployments.create({ ...sampleDeployment('org_a', 'dep_1'), credential }),
      'admin.not-found',
    )
  })
}

export function testStoreContract(open: OpenStore): void {
  testRecords(open)
  testRoutesAndCredentials(open)
  testLimits(open)
  testTokens(open)
  testVersions(open)
  testTransactions(open)
  testKeysAndAdministration(open)
}
