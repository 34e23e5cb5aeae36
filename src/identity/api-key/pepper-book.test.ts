import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openFileSecretBox } from '../../adapters/file-secret-box/open-file-secret-box.ts'
import { openSqliteStore } from '../../adapters/sqlite/open-sqlite-store.ts'
import { Fault } from '../../kernel/fault.ts'
import type { SecretBox } from '../../ports/secret-box.ts'
import {
  sampleApplication,
  sampleKey,
  sampleOrganization,
  sampleSecret,
  sampleToken,
} from '../../ports/store.contract-samples.ts'
import { mintApiKey } from './api-key-text.ts'
import { openPepperBook, type PepperBook } from './pepper-book.ts'
import { hashApiKey, verifyApiKey } from './secret-hash.ts'

const now = 1_700_000_000_000

async function rig(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-peppers-'))
  const { store, close } = await openSqliteStore({ path: ':memory:' })
  t.after(async () => {
    await close()
    rmSync(directory, { recursive: true })
  })
  const box = (name: string, ...previous: readonly string[]): SecretBox =>
    openFileSecretBox({
      path: join(directory, name),
      previousPaths: previous.map((each) => join(directory, each)),
    })
  return { store, box }
}

const versions = ({ opened }: PepperBook): string[] => Object.keys(opened.encoded)

test('peppers are made once, sealed in the store, and old secrets verify after a rotation', async (t) => {
  const { store, box } = await rig(t)
  const [first, same] = await Promise.all([
    openPepperBook(store, box('root.key')),
    openPepperBook(store, box('root.key')),
  ])
  assert.deepEqual(first.opened.encoded, same.opened.encoded)
  assert.equal(first.opened.current, 1)
  const stored = JSON.stringify(await store.settings.get('api-key-peppers'))
  const encoded = first.opened.encoded['1'] ?? 'absent'
  assert.ok(!stored.includes(encoded))
  const { text } = mintApiKey('live')
  const pepper = first.opened.compiled.get(1)
  assert.ok(pepper !== undefined)
  const secrets = [{ hash: hashApiKey(text, pepper), pepperVersion: 1, expiresAt: null }]
  assert.deepEqual(await first.rotate(now), { current: 2, kept: [1], dropped: [] })
  assert.deepEqual([first.opened.current, first.opened.encoded['1']], [2, encoded])
  assert.equal(verifyApiKey(text, { secrets }, { peppers: first.opened.compiled, now }), true)
})

test('a rotation moves the configuration, so that other nodes look again and take it', async (t) => {
  const { store, box } = await rig(t)
  const here = await openPepperBook(store, box('root.key'))
  const there = await openPepperBook(store, box('root.key'))
  const before = await store.versions()
  await here.rotate(now)
  assert.ok((await store.versions()).configuration > before.configuration)
  assert.equal(there.opened.current, 1)
  const known = there.opened
  await there.refresh()
  assert.deepEqual(there.opened.encoded, here.opened.encoded)
  assert.notEqual(there.opened, known)
  const unchanged = there.opened
  await there.refresh()
  assert.equal(there.opened, unchanged, 'nothing is opened anew where nothing changed')
})

test('a pepper goes once no live key or token stands under it, and never the newest', async (t) => {
  const { store, box } = await rig(t)
  const book = await openPepperBook(store, box('root.key'))
  await store.organizations.create(sampleOrganization('org_a'))
  await store.applications.create(sampleApplication('org_a', 'app_a'))
  const key = sampleKey('org_a', 'app_a', 'k1')
  const under = (pepperVersion: number, expiresAt: number | null) => ({
    ...sampleSecret(key, pepperVersion),
    pepperVersion,
    expiresAt,
  })
  await store.keys.create(key, [under(1, now + 10)])
  await store.adminTokens.create({ ...sampleToken('t1', null), pepperVersion: 2 })
  assert.deepEqual(await book.rotate(now), { current: 2, kept: [1], dropped: [] })
  assert.deepEqual(await book.rotate(now), { current: 3, kept: [1, 2], dropped: [] })
  // The secret under 1 has ended, the token under 2 is alive, and 3 was the newest.
  assert.deepEqual(await book.rotate(now + 10), { current: 4, kept: [2, 3], dropped: [1] })
  assert.deepEqual(versions(book), ['2', '3', '4'])
  await store.adminTokens.remove(null, sampleToken('t1', null).id)
  assert.deepEqual(await book.rotate(now + 10), { current: 5, kept: [4], dropped: [2, 3] })
})

test('peppers with live secrets under them are bounded: one more is refused and changes nothing', async (t) => {
  const { store, box } = await rig(t)
  const book = await openPepperBook(store, box('root.key'))
  for (let version = 1; version <= 16; version += 1) {
    await store.adminTokens.create({ ...sampleToken(`t${version}`, null), pepperVersion: version })
    if (version < 16) await book.rotate(now)
  }
  const before = book.opened
  await assert.rejects(
    book.rotate(now),
    (error) => error instanceof Fault && error.code === 'admin.pepper-limit',
  )
  assert.equal(book.opened, before)
})

test('of two rotations at once one is refused, and both know the same peppers afterwards', async (t) => {
  const { store, box } = await rig(t)
  const books = [await openPepperBook(store, box('root.key')), await openPepperBook(store, box('root.key'))]
  const outcomes = await Promise.allSettled(books.map((book) => book.rotate(now)))
  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  for (const book of books) await book.refresh()
  assert.deepEqual(books[0]?.opened.encoded, books[1]?.opened.encoded)
})

test('peppers move under a new root key, and open with it alone', async (t) => {
  const { store, box } = await rig(t)
  const old = await openPepperBook(store, box('old.key'))
  await old.rotate(now)
  const book = await openPepperBook(store, box('new.key', 'old.key'))
  assert.deepEqual(await book.rewrap(), { rewrapped: 2, kept: 0 })
  assert.deepEqual(await book.rewrap(), { rewrapped: 0, kept: 2 })
  const alone = await openPepperBook(store, box('new.key'))
  assert.deepEqual(alone.opened.encoded, old.opened.encoded)
  await assert.rejects(openPepperBook(store, box('old.key')), Fault)
})
