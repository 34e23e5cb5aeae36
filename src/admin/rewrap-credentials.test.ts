import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openFileSecretBox } from '../adapters/file-secret-box/open-file-secret-box.ts'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import { sampleOrganization } from '../ports/store.contract-samples.ts'
import { rewrapCredentials } from './rewrap-credentials.ts'

test('credentials of every organization move under the new root key; what cannot be opened is counted and left', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-rewrap-'))
  const { store, close } = await openSqliteStore({ path: ':memory:' })
  t.after(async () => {
    await close()
    rmSync(directory, { recursive: true })
  })
  const path = (name: string): string => join(directory, name)
  const old = openFileSecretBox({ path: path('old.key') })
  const lost = openFileSecretBox({ path: path('lost.key') })
  const box = openFileSecretBox({ path: path('new.key'), previousPaths: [path('old.key')] })
  const organizations = ['org_a', 'org_b']
  // More than a page of each organization.
  const each = 120
  for (const organizationId of organizations) {
    await store.organizations.create(sampleOrganization(organizationId))
    for (let at = 0; at < each; at += 1) {
      const id = `cred_${organizationId}_${at}`
      const sealed = await old.seal(`secret ${at}`, `credential:${id}`)
      await store.credentials.create({ id, organizationId, sealed, createdAt: at })
    }
  }
  const foreign = await lost.seal('gone', 'credential:cred_lost')
  await store.credentials.create({
    id: 'cred_lost',
    organizationId: 'org_a',
    sealed: foreign,
    createdAt: 1,
  })
  const before = await store.versions()

  assert.deepEqual(await rewrapCredentials(store, box), { rewrapped: 2 * each, kept: 0, unreadable: 1 })
  assert.ok((await store.versions()).configuration > before.configuration, 'other nodes see it')
  const alone = openFileSecretBox({ path: path('new.key') })
  for (const organizationId of organizations) {
    const id = `cred_${organizationId}_${each - 1}`
    const { sealed } = (await store.credentials.get(organizationId, id)) ?? { sealed: '' }
    assert.equal((await alone.open(sealed, `credential:${id}`)).toString(), `secret ${each - 1}`)
  }
  assert.equal((await store.credentials.get('org_a', 'cred_lost'))?.sealed, foreign)
  assert.deepEqual(await rewrapCredentials(store, box), { rewrapped: 0, kept: 2 * each, unreadable: 1 })
})
