/** Looks at keys in a real store, under policies of their organization and application. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import type { KeyNotice } from '../domain/key-notice.ts'
import type { KeyPolicy } from '../domain/key-policy.ts'
import { dayMs } from '../identity/index.ts'
import {
  sampleApplication,
  sampleKey,
  sampleOrganization,
  sampleSecret,
  start,
} from '../ports/store.contract-samples.ts'
import { openKeyCare } from './key-care.ts'

async function openCare(t: TestContext, keyPolicy: KeyPolicy) {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-care-'))
  const { store, close } = await openSqliteStore({ path: join(directory, 'gatewright.db') })
  await store.organizations.create({ ...sampleOrganization('org_a'), keyPolicy })
  await store.applications.create(sampleApplication('org_a', 'app_a'))
  const key = { ...sampleKey('org_a', 'app_a', 'k1'), cidrs: [] }
  await store.keys.create(key, [{ ...sampleSecret(key, 1), createdAt: start }])
  const told: KeyNotice[] = []
  let now = start
  const care = (): ReturnType<typeof openKeyCare> => {
    const opened = openKeyCare({ store, now: () => now, tell: async (notice) => void told.push(notice) })
    t.after(() => opened.close())
    return opened
  }
  t.after(async () => {
    await close()
    rmSync(directory, { recursive: true })
  })
  const first = care()
  return {
    store,
    key,
    told,
    care,
    async lookAt(days: number) {
      now = start + days * dayMs
      told.length = 0
      await first.look()
      return told.map(({ action }) => action)
    },
  }
}

test('the owner is told once of a rotation that is due, once that it is overdue, and anew after a rotation', async (t) => {
  const { store, key, lookAt, told } = await openCare(t, { rotateEveryDays: 30, rotateWarnDays: 5 })
  assert.deepEqual(await lookAt(24), [])
  assert.deepEqual(await lookAt(25), ['key.rotation-due'])
  assert.deepEqual(told[0]?.details, { rotatedAt: start, rotateBy: start + 30 * dayMs })
  assert.deepEqual(await lookAt(26), [])
  assert.deepEqual(await lookAt(30), ['key.rotation-overdue'])
  assert.deepEqual(await lookAt(31), [])
  const secrets = [{ ...sampleSecret(key, 2), createdAt: start + 31 * dayMs }]
  await store.keys.setSecrets('org_a', key.id, { secrets, now: start + 31 * dayMs })
  assert.deepEqual(await lookAt(32), [])
  assert.deepEqual(await lookAt(57), ['key.rotation-due'])
})

test('of two nodes one tells', async (t) => {
  const { care, told } = await openCare(t, { maxLifetimeDays: 30 })
  await Promise.all([care(), care(), care()].map((each) => each.look()))
  assert.deepEqual(
    told.map(({ action, details }) => [action, details['field']]),
    [['key.policy-breach', 'expiresAt']],
  )
})

test('a key that nobody uses is held; one that is used, or was just released, is not', async (t) => {
  const { store, key, lookAt } = await openCare(t, { unusedDays: 10 })
  assert.deepEqual(await lookAt(9.9), [])
  await store.keys.recordUse([{ keyId: key.keyId, at: start + 5 * dayMs }])
  assert.deepEqual(await lookAt(14.9), [])
  assert.deepEqual(await lookAt(15), ['key.idle-quarantine'])
  const held = await store.keys.get('org_a', key.id)
  assert.deepEqual([held?.state, held?.quarantine?.reason], ['quarantined', 'unused'])
  assert.deepEqual(await lookAt(20), [])
  const patch = { state: 'active', quarantine: null } as const
  await store.keys.update('org_a', key.id, { patch, now: start + 20 * dayMs })
  assert.deepEqual(await lookAt(20), [])
  assert.deepEqual(await lookAt(30), ['key.idle-quarantine'])
})

test('without a policy no key is looked at, and none that is over', async (t) => {
  const { store, key, lookAt } = await openCare(t, {})
  t.mock.method(store, 'keysSince', () => assert.fail('keys were read'))
  assert.deepEqual(await lookAt(9999), [])
  t.mock.restoreAll()
  await store.organizations.update('org_a', { patch: { keyPolicy: { unusedDays: 1 } }, now: start })
  await store.keys.update('org_a', key.id, { patch: { expiresAt: start + 1 }, now: start })
  assert.deepEqual(await lookAt(5), [])
})
