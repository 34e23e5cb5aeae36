/** The store's contract: versions and changes, transactions, keys and administration. */
import assert from 'node:assert/strict'
import {
  type OpenStore,
  rejectsWith,
  sampleDeployment,
  sampleKey,
  sampleProduct,
  sampleSecret,
  sampleToken,
  start,
  storeTest,
} from './store.contract-samples.ts'

export function testVersions(open: OpenStore): void {
  const check = storeTest(open)

  check(
    'the version grows with each change that the data plane must see, and with no other',
    async (store) => {
      const before = await store.versions()
      await store.settings.set('theme', 'dark')
      await store.adminTokens.create(sampleToken('t1', null))
      assert.deepEqual(await store.versions(), before)
      await store.settings.publish('theme', 'light')
      assert.equal(await store.settings.get('theme'), 'light')
      const published = await store.versions()
      assert.ok(published.configuration > before.configuration)
      await store.products.create(sampleProduct('org_a', 'prod_1'))
      const configured = await store.versions()
      assert.ok(configured.configuration > published.configuration)
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

  check('a key is found by its public id with its secrets, whatever its organization', async (store) => {
    const key = sampleKey('org_a', 'app_org_a', 'k1')
    await store.keys.create(key, [sampleSecret(key, 1)])
    const found = await store.keys.findByKeyId(key.keyId)
    assert.deepEqual([found?.key, found?.secrets], [key, [sampleSecret(key, 1)]])
    assert.equal(await store.keys.findByKeyId('absent'), null)
  })

  check('a notice is taken by one, and again only after another one', async (store) => {
    const key = sampleKey('org_a', 'app_org_a', 'k1')
    await store.keys.create(key, [])
    const before = await store.versions()
    const take = (notice: string) => store.keys.takeNotice(key.keyId, notice)
    const first = await Promise.all([take('due 1'), take('due 1'), take('due 1')])
    assert.equal(first.filter(Boolean).length, 1)
    assert.deepEqual([await take('due 1'), await take('overdue 1'), await take('due 1')], [false, true, true])
    assert.equal(await store.keys.takeNotice('absent', 'due 1'), false)
    assert.equal((await store.keys.get('org_a', 'k1'))?.updatedAt, start)
    assert.deepEqual(await store.versions(), before)
  })

  check('policies, quarantine and reports of leaks are kept as they are', async (store) => {
    const key = sampleKey('org_a', 'app_org_a', 'k1')
    await store.keys.create(key, [])
    const leak = { digest: 'd', at: start, reporter: 'github', url: 'https://x.test/a', source: 'commit' }
    const quarantine = { at: start, reason: 'leaked' } as const
    const patch = { state: 'quarantined', quarantine, leaks: [leak] } as const
    const held = await store.keys.update('org_a', 'k1', { patch, now: start + 1 })
    assert.deepEqual(await store.keys.get('org_a', 'k1'), held)
    assert.deepEqual([held.quarantine, held.leaks], [quarantine, [leak]])
    const keyPolicy = { maxLifetimeDays: 90, networks: 'required' } as const
    await store.organizations.update('org_a', { patch: { keyPolicy }, now: start + 1 })
    await store.applications.update('org_a', 'app_org_a', { patch: { keyPolicy }, now: start + 1 })
    assert.deepEqual((await store.organizations.get('org_a'))?.keyPolicy, keyPolicy)
    assert.deepEqual((await store.applications.get('org_a', 'app_org_a'))?.keyPolicy, keyPolicy)
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
    await store.idempotency.complete('t', 'k', { reply, expiresAt: start + 300 })
    assert.deepEqual(await store.idempotency.claim(claim), { kind: 'done', reply })
    assert.equal((await store.idempotency.claim({ ...claim, now: start + 299 })).kind, 'done')
    await store.idempotency.abandon('t', 'k')
    assert.equal((await store.idempotency.claim(claim)).kind, 'done')
    const late = { ...claim, now: start + 300, expiresAt: start + 400 }
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
