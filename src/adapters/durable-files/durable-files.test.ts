import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { testDurableFilesContract } from '../../ports/durable-files.contract.ts'
import { openDurableFiles } from './open-durable-files.ts'

const root = mkdtempSync(join(tmpdir(), 'gatewright-durable-files-'))
after(() => rmSync(root, { recursive: true }))
let count = 0
function newDirectory(): string {
  count += 1
  return join(root, String(count))
}

testDurableFilesContract(async () => {
  const directory = newDirectory()
  return { open: () => openDurableFiles(directory) }
})

test('a draft that a crash left behind is no file, and does not stop its file from being written', async () => {
  const directory = newDirectory()
  const files = await openDurableFiles(directory)
  writeFileSync(join(directory, 'a.new'), 'torn')
  assert.deepEqual(await files.list(), [])
  await files.write([{ path: 'a', bytes: Buffer.from('whole') }])
  assert.deepEqual(await files.list(), ['a'])
  assert.equal((await files.read('a'))?.toString(), 'whole')
})

test('nobody but the owner reads what is written', async (t) => {
  if (process.platform === 'win32') return t.skip('no POSIX mode bits')
  const directory = newDirectory()
  await (await openDurableFiles(directory)).write([{ path: 'a/b', bytes: Buffer.from('1') }])
  for (const path of ['', 'a', 'a/b']) assert.equal(statSync(join(directory, path)).mode & 0o077, 0, path)
})
