/** What every Store adapter guarantees. `open` gives an empty store; the suite closes it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  AdminToken,
  ApiKey,
  ApiKeySecret,
  ApiProduct,
  Application,
  Deployment,
  ModelRoute,
  Organization,
  Subscription,
} from '../domain/entities.ts'
import { Fault } from '../kernel/fault.ts'
import type { Store } from './store.ts'

export type OpenStore = () => Promise<Store>

const start = 1_700_000_000_000
const stored = (id: string) => ({ id, createdAt: start, updatedAt: start, managedBy: 'api' as const })

export function sampleOrganization(id: string): Organization {
  return { ...stored(id), slug: id, name: `Organization ${id}` }
}
export function sampleApplication(organizationId: string, id: string): Application {
  return { ...stored(id), organizationId, slug: id, name: id, description: '' }
}
function sampleProduct(organizationId: string, id: string): ApiProduct {
  const lists = { operations: ['*'], models: ['gpt-*'] }
  return {
    ...stored(id),
    ...lists,
    organizationId,
    slug: id,
    name: id,
    version: '1',
    description: '',
    state: 'draft',
  }
}
function sampleDeployment(organizationId: string, id: string): Deployment {
  return {
    ...stored(id),
    organizationId,
    slug: id,
    providerId: 'openai',
    baseUrl: null,
    dialect: 'openai-chat',
    region: null,
    settings: { apiVersion: '1' },
    credential: { kind: 'none' },
    allowPrivateNetwork: false,
    enabled: true,
    timeouts: { connectMs: 1000 },
  }
}
function sampleRoute(organizationId: string, id: string, deployment: string): ModelRoute {
  return {
    ...stored(id),
    organizationId,
    name: id,
    aliases: [],
    targets: [{ deployment, model: null, priority: 0, weight: 1 }],
    description: '',
    enabled: true,
  }
}
export function sampleKey(organizationId: string, applicationId: string, id: string): ApiKey {
  return {
    ...stored(id),
    organizationId,
    applicationId,
    keyId: `key${id}`,
    name: id,
    environment: 'live',
    state: 'active',
    models: null,
    operations: ['chat.completions'],
    cidrs: ['10.0.0.0/8'],
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
  }
}
function sampleSecret(key: ApiKey, version: number): ApiKeySecret {
  return {
    keyId: key.keyId,
    version,
    hash: `hash-${version}`,
    pepperVersion: 1,
    createdAt: start,
    expiresAt: null,
  }
}
function sampleToken(id: string, organizationId: string | null): AdminToken {
  return {
    ...stored(id),
    organizationId,
    tokenId: `token${id}`,
    name: id,
    scopes: ['admin'],
    hash: 'h',
    pepperVersion: 1,
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
  }
}

async function rejectsWith(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof Fault && error.code === code)
}

/** Two organizations, each with an application of the same slug. */
async function seed(store: Store): Promise<void> {
  for (const id of ['org_a', 'org_b']) {
    await store.organizations.create(sampleOrganization(id))
    await store.applications.create({ ...sampleApplication(id, `app_${id}`), slug: 'main' })
  }
}

/** Runs `body` on an empty store that holds what `seed` makes. */
function storeTest(open: OpenStore): (name: string, body: (store: Store) => Promise<void>) => void {
  return (name, body) => {
    test(name, async () => {
      const store = await open()
      try {
        await seed(store)
        await body(store)
      } finally {
        await store.close()
      }
    })
  }
}

export function testRecords(open: OpenStore): void {
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
    const subscription: Subscription = {
      ...stored('sub_1'),
      organizationId: 'org_a',
      applicationId: 'app_org_a',
      productId: 'prod_1',
      state: 'active',
    }
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

export function testRoutesAndCredentials(open: OpenStore): void {
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

export function testVersions(open: OpenStore): void {
  const check = storeTest(open)

  check(
    'the version grows with each change that the data plane must see, and with no other',
    async (store) => {
      const before = await store.versions()
      await store.settings.set('theme', 'dark')
      await store.adminTokens.create(sampleToken('t1', null))
      assert.deepEqual(await store.versions(), before)
      await store.products.create(sampleProduct('org_a', 'prod_1'))
      const configured = await store.versions()
      assert.ok(configured.configuration > before.configuration)
      assert.equal(configured.current, configured.configuration)
      await store.keys.create(sampleKey('org_a', 'app_org_a', 'k1'), [])
      const keyed = await store.versions()
      assert.ok(keyed.current > configured.current)
      assert.equal(keyed.configuration, configured.configuration)
    },
  )

  check('keysSince gives each change once, with secrets, and names removed keys', async (store) => {
    const first = await store.keysSince(0)
    assert.deepEqual([first.upsert, first.remove, first.more], [[], [], false])
    const key = sampleKey('org_a', 'app_org_a', 'k1')
    await store.keys.create(key, [sampleSecret(key, 1)])
    const created = await store.keysSince(first.version)
    assert.deepEqual(created.upsert, [{ key, secrets: [sampleSecret(key, 1)] }])
    assert.deepEqual((await store.keysSince(created.version)).upsert, [])
    const patch = { state: 'revoked', revokedAt: start + 1 } as const
    await store.keys.update('org_a', 'k1', { patch, now: start + 1 })
    const revoked = await store.keysSince(created.version)
    assert.equal(revoked.upsert[0]?.key.state, 'revoked')
    await store.keys.remove('org_a', 'k1')
    const removed = await store.keysSince(revoked.version)
    assert.deepEqual([removed.upsert, removed.remove], [[], [key.keyId]])
    assert.equal(removed.version, (await store.versions()).current)
  })

  check('keysSince comes in bounded pages without loss', async (store) => {
    const total = 620
    await store.transaction(async (tables) => {
      for (let index = 0; index < total; index += 1) {
        await tables.keys.create(sampleKey('org_a', 'app_org_a', `k${index}`), [])
      }
    })
    const seen = new Set<string>()
    let version = 0
    for (let more = true; more; ) {
      const page = await store.keysSince(version)
      assert.ok(page.upsert.length <= 500)
      for (const { key } of page.upsert) seen.add(key.id)
      version = page.version
      more = page.more
    }
    assert.equal(seen.size, total)
  })

  check('a listener hears of commits, not of rollbacks', async (store) => {
    const heard: number[] = []
    const stop = store.subscribe((version) => heard.push(version))
    await store.products.create(sampleProduct('org_a', 'prod_1'))
    assert.deepEqual(heard, [(await store.versions()).current])
    await assert.rejects(
      store.transaction(async (tables) => {
        await tables.products.create(sampleProduct('org_a', 'prod_2'))
        throw new Error('no')
      }),
    )
    await store.settings.set('a', 1)
    stop()
    await store.products.create(sampleProduct('org_a', 'prod_3'))
    assert.equal(heard.length, 1)
  })

  check('loadConfiguration reads all organizations at one version', async (store) => {
    await store.deployments.create(sampleDeployment('org_b', 'dep_1'))
    const records = await store.loadConfiguration()
    assert.equal(records.version, (await store.versions()).current)
    assert.equal(records.organizations.length, 2)
    assert.equal(records.applications.length, 2)
    assert.deepEqual(records.deployments, [sampleDeployment('org_b', 'dep_1')])
  })
}

export function testTransactions(open: OpenStore): void {
  const check = storeTest(open)

  check('a transaction is all or nothing', async (store) => {
    await assert.rejects(
      store.transaction(async (tables) => {
        await tables.products.create(sampleProduct('org_a', 'prod_1'))
        assert.notEqual(await tables.products.get('org_a', 'prod_1'), null)
        throw new Error('stop')
      }),
      /stop/,
    )
    assert.equal(await store.products.get('org_a', 'prod_1'), null)
    const result = await store.transaction(async (tables) => {
      await tables.products.create(sampleProduct('org_a', 'prod_1'))
      return 7
    })
    assert.equal(result, 7)
    assert.notEqual(await store.products.get('org_a', 'prod_1'), null)
  })

  check('a statement that failed inside a transaction lets nothing of it commit', async (store) => {
    await rejectsWith(
      store.transaction(async (tables) => {
        await tables.products.create(sampleProduct('org_a', 'prod_1'))
        await tables.products.create(sampleProduct('org_a', 'prod_1')).catch(() => null)
      }),
      'admin.conflict',
    )
    assert.equal(await store.products.get('org_a', 'prod_1'), null)
  })

  check('the store itself is refused inside its transaction, instead of waiting for ever', async (store) => {
    await assert.rejects(
      store.transaction(() => store.settings.set('a', 1)),
      /own transaction/,
    )
    await assert.rejects(
      store.transaction(() => store.products.get('org_a', 'x')),
      /own transaction/,
    )
  })

  check('transactions side by side do not mix', async (store) => {
    await store.settings.set('count', 0)
    const increment = () =>
      store.transaction(async (tables) => {
        const value = Number(await tables.settings.get('count'))
        await new Promise((resolve) => setImmediate(resolve))
        await tables.settings.set('count', value + 1)
      })
    await Promise.all(Array.from({ length: 10 }, increment))
    assert.equal(await store.settings.get('count'), 10)
  })
}

export function testKeysAndAdministration(open: OpenStore): void {
  const check = storeTest(open)

  check('secrets are replaced as a list of at most two of the key itself', async (store) => {
    const key = sampleKey('org_a', 'app_org_a', 'k1')
    await store.keys.create(key, [sampleSecret(key, 1)])
    const old = { ...sampleSecret(key, 1), expiresAt: start + 10 }
    const change = { secrets: [sampleSecret(key, 2), old], now: start + 1 }
    const rotated = await store.keys.setSecrets('org_a', 'k1', change)
    assert.equal(rotated.updatedAt, start + 1)
    assert.deepEqual(await store.keys.secrets('org_a', 'k1'), [sampleSecret(key, 2), old])
    const three = [1, 2, 3].map((version) => sampleSecret(key, version))
    await assert.rejects(store.keys.setSecrets('org_a', 'k1', { secrets: three, now: start + 2 }))
    await rejectsWith(store.keys.setSecrets('org_b', 'k1', change), 'admin.not-found')
    await rejectsWith(store.keys.secrets('org_b', 'k1'), 'admin.not-found')
    assert.equal((await store.keys.secrets('org_a', 'k1')).length, 2)
  })

  check('last use moves forward only and is no change to the data plane', async (store) => {
    const key = sampleKey('org_a', 'app_org_a', 'k1')
    await store.keys.create(key, [])
    const before = await store.versions()
    await store.keys.recordUse([{ keyId: key.keyId, at: start + 9 }])
    await store.keys.recordUse([
      { keyId: key.keyId, at: start + 5 },
      { keyId: 'absent', at: start },
    ])
    const after = await store.keys.get('org_a', 'k1')
    assert.equal(after?.lastUsedAt, start + 9)
    assert.equal(after?.updatedAt, start)
    assert.deepEqual(await store.versions(), before)
  })

  check('admin tokens of an organization stay within it', async (store) => {
    await store.adminTokens.create(sampleToken('t1', null))
    await store.adminTokens.create(sampleToken('t2', 'org_a'))
    assert.equal((await store.adminTokens.list(null)).items.length, 2)
    const own = await store.adminTokens.list('org_a')
    assert.deepEqual(
      own.items.map((item) => item.id),
      ['t2'],
    )
    assert.equal(await store.adminTokens.get('org_a', 't1'), null)
    assert.equal((await store.adminTokens.findByTokenId('tokent1'))?.id, 't1')
    assert.equal(await store.adminTokens.countLive(start), 2)
    await store.adminTokens.update(null, 't1', { patch: { revokedAt: start }, now: start + 1 })
    assert.equal(await store.adminTokens.countLive(start), 1)
    await rejectsWith(store.adminTokens.remove('org_b', 't2'), 'admin.not-found')
  })

  check('a set-up link opens once, before its end, and a new one closes the old', async (store) => {
    const link = { id: 's1', hash: 'h1', createdAt: start, expiresAt: start + 100, usedAt: null }
    await store.setupLinks.create(link)
    assert.equal(await store.setupLinks.consume('h1', start + 100), false)
    const both = await Promise.all([1, 2].map(() => store.setupLinks.consume('h1', start + 1)))
    assert.deepEqual(both.toSorted(), [false, true])
    await store.setupLinks.create({ ...link, id: 's2', hash: 'h2' })
    await store.setupLinks.create({ ...link, id: 's3', hash: 'h3' })
    assert.equal(await store.setupLinks.consume('h2', start + 1), false)
    assert.equal(await store.setupLinks.consume('h3', start + 1), true)
  })

  check('an idempotency key is claimed once and answers with its reply', async (store) => {
    const claim = { scope: 't', key: 'k', fingerprint: 'f', now: start, expiresAt: start + 100 }
    const claims = await Promise.all([1, 2].map(() => store.idempotency.claim(claim)))
    assert.deepEqual(claims.map((outcome) => outcome.kind).toSorted(), ['claimed', 'running'])
    assert.equal((await store.idempotency.claim({ ...claim, fingerprint: 'g' })).kind, 'mismatch')
    assert.equal((await store.idempotency.claim({ ...claim, scope: 'u' })).kind, 'claimed')
    const reply = { status: 201, body: { id: 'x' } }
    await store.idempotency.complete('t', 'k', reply)
    assert.deepEqual(await store.idempotency.claim(claim), { kind: 'done', reply })
    await store.idempotency.abandon('t', 'k')
    assert.equal((await store.idempotency.claim(claim)).kind, 'done')
    const late = { ...claim, now: start + 100, expiresAt: start + 200 }
    assert.equal((await store.idempotency.claim(late)).kind, 'claimed')
    await store.idempotency.abandon('t', 'k')
    assert.equal((await store.idempotency.claim(late)).kind, 'claimed')
    assert.equal(await store.idempotency.sweep(start + 500), 2)
  })

  check('settings keep any JSON value', async (store) => {
    assert.equal(await store.settings.get('a'), null)
    await store.settings.set('a', { list: [1, 'x', null] })
    await store.settings.set('a', { list: [2] })
    assert.deepEqual(await store.settings.get('a'), { list: [2] })
    await store.settings.remove('a')
    assert.equal(await store.settings.get('a'), null)
  })
}

export function testStoreContract(open: OpenStore): void {
  testRecords(open)
  testRoutesAndCredentials(open)
  testVersions(open)
  testTransactions(open)
  testKeysAndAdministration(open)
}
