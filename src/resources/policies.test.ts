import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import type { Fault } from '../kernel/fault.ts'
import { policySnapshots } from '../publishing/index.ts'
import { createDocumentManager } from './apply-document.ts'

async function open(t: TestContext) {
  const { store, close } = await openSqliteStore({ path: ':memory:' })
  t.after(close)
  const clock = { now: () => Date.UTC(2026, 10, 28), monotonic: () => 0 }
  const documents = createDocumentManager({ store, clock, fileManaged: () => false })
  return { store, documents }
}

const document = (cedar: string, more = '') =>
  `organizations: [{ slug: acme }]\npolicies:\n  - { slug: all, cedar: '${cedar}'${more} }\n`
const all = 'permit (principal, action, resource);'

test('a document makes, changes and removes policies; a revision counts what decides', async (t) => {
  const { store, documents } = await open(t)
  await documents.apply(document(all))
  await documents.apply(document(all, ', description: everyone'))
  const owner = (await store.organizations.find('acme'))?.id ?? ''
  assert.equal((await store.policies.find(owner, 'all'))?.revision, 1)
  await documents.apply(document(all, ', enabled: false'))
  assert.equal((await store.policies.find(owner, 'all'))?.revision, 2)
  assert.deepEqual(policySnapshots(await store.loadConfiguration()), [])
  assert.match(await documents.export(), /policies:\n {2}- slug: all\n[\s\S]*cedar: permit/)
  await documents.apply(document(all))
  const [snapshot] = policySnapshots(await store.loadConfiguration())
  assert.deepEqual([snapshot?.organization, snapshot?.policies.map(({ name }) => name)], ['acme', ['all']])
  await documents.apply('organizations: [{ slug: acme }]')
  assert.equal(await store.policies.find(owner, 'all'), null)
})

test('a policy that the schema does not allow refuses the document by its place, and changes nothing', async (t) => {
  const { store, documents } = await open(t)
  await documents.apply(document(all))
  const before = await store.loadConfiguration()
  const wrong = document('permit (principal, action == Action::"fly", resource);')
  await assert.rejects(documents.apply(wrong), (fault: Fault) =>
    /document:3: policies\[0\]: .*fly/.test(fault.publicText),
  )
  assert.deepEqual(await store.loadConfiguration(), before)
})

test('a stored policy that does not hold any more refuses the snapshot', async (t) => {
  const { store, documents } = await open(t)
  await documents.apply(document(all))
  const records = await store.loadConfiguration()
  const policies = records.policies.map((policy) => ({ ...policy, cedar: 'permit (principal, action);' }))
  assert.throws(() => policySnapshots({ ...records, policies }), /policy all/)
})
