import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../../kernel/fault.ts'
import { testSecretBoxContract } from '../../ports/secret-box.contract.ts'
import { sampleApplication, sampleOrganization } from '../../ports/store.contract-samples.ts'
import { openSqliteStore } from '../sqlite/open-sqlite-store.ts'
import { openFileSecretBox } from './open-file-secret-box.ts'
import { createRootKey, readRootKey } from './root-key-file.ts'

const directory = mkdtempSync(join(tmpdir(), 'gatewright-secret-box-'))
after(() => rmSync(directory, { recursive: true }))
let count = 0
function newPath(): string {
  count += 1
  return join(directory, `root-${count}.key`)
}

testSecretBoxContract(async () => openFileSecretBox({ path: newPath() }))

const refused = (error: unknown): boolean => error instanceof Fault && error.code === 'storage.data-directory'

test('the root key is created once, 32 bytes, for the owner alone, and leaves no draft behind', () => {
  const path = newPath()
  assert.equal(createRootKey(path), true)
  const key = readFileSync(path)
  assert.equal(key.length, 32)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(createRootKey(path), false)
  assert.deepEqual(readFileSync(path), key)
  assert.deepEqual(
    readdirSync(directory).filter((name) => !name.endsWith('.key')),
    [],
  )
})

test('a root key file that others can read, of another length, or behind a link is refused', () => {
  const readable = newPath()
  createRootKey(readable)
  for (const mode of [0o640, 0o604, 0o660]) {
    chmodSync(readable, mode)
    assert.throws(() => openFileSecretBox({ path: readable }), refused)
  }
  for (const length of [0, 31, 33]) {
    const path = newPath()
    writeFileSync(path, Buffer.alloc(length), { mode: 0o600 })
    assert.throws(() => openFileSecretBox({ path }), refused)
    assert.equal(statSync(path).size, length)
  }
  const target = newPath()
  createRootKey(target)
  const link = newPath()
  symlinkSync(target, link)
  assert.throws(() => openFileSecretBox({ path: link }), refused)
  assert.throws(() => readRootKey(newPath()), refused)
})

test('after a rotation old secrets open, are told apart, and stand under the new key once rewrapped', async () => {
  const [oldPath, newKeyPath] = [newPath(), newPath()]
  const sealed = await openFileSecretBox({ path: oldPath }).seal('secret', 'c')
  const both = openFileSecretBox({ path: newKeyPath, previousPaths: [oldPath] })
  assert.equal((await both.open(sealed, 'c')).toString(), 'secret')
  assert.equal(both.needsRewrap(sealed), true)
  const rewrapped = await both.rewrap(sealed, 'c')
  assert.equal(both.needsRewrap(rewrapped), false)
  const onlyNew = openFileSecretBox({ path: newKeyPath })
  assert.equal((await onlyNew.open(rewrapped, 'c')).toString(), 'secret')
  await assert.rejects(onlyNew.open(sealed, 'c'))
})

test('any secret and context open to what was sealed', async () => {
  const box = openFileSecretBox({ path: newPath() })
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.string(), async (secret, context) => {
      const opened = await box.open(await box.seal(secret, context), context)
      assert.deepEqual(new Uint8Array(opened), secret)
    }),
    { numRuns: 100 },
  )
})

test('a database dump shows no secret: neither database nor log holds a byte of it', async () => {
  const path = join(directory, 'dump.db')
  const { store, close } = await openSqliteStore({ path })
  const box = openFileSecretBox({ path: newPath() })
  const secrets = ['sk-live-AAAAAAAAAAAAAAAAAAAAAAAA', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY']
  await store.organizations.create(sampleOrganization('org_a'))
  await store.applications.create(sampleApplication('org_a', 'app_marker'))
  for (const [index, secret] of secrets.entries()) {
    const id = `cred_${index}`
    const sealed = await box.seal(JSON.stringify({ apiKey: secret }), `credential:${id}`)
    await store.credentials.create({ id, organizationId: 'org_a', sealed, createdAt: 1 })
  }
  const read = () => Buffer.concat([readFileSync(path), readFileSync(`${path}-wal`)])
  const live = read()
  assert.ok(live.includes('app_marker'), 'the test reads the files that hold the records')
  await close()
  for (const dump of [live, readFileSync(path)]) {
    for (const secret of secrets) {
      for (const form of [
        secret,
        Buffer.from(secret).toString('base64'),
        Buffer.from(secret).toString('hex'),
      ]) {
        assert.ok(!dump.includes(form))
      }
    }
  }
})
