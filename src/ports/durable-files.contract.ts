/** What every DurableFiles adapter guarantees. `open` opens the same tree each time it is called in a test. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DurableFiles } from './durable-files.ts'

export interface DurableFilesFixture {
  open(): Promise<DurableFiles>
}

const bytes = (text: string): Uint8Array => Buffer.from(text)

export function testDurableFilesContract(create: () => Promise<DurableFilesFixture>): void {
  test('what was written is read back by whoever opens the tree next', async () => {
    const { open } = await create()
    const files = await open()
    await files.write([
      { path: 'a', bytes: bytes('1') },
      { path: 'deep/er/b', bytes: bytes('2') },
    ])
    const again = await open()
    assert.equal((await again.read('a'))?.toString(), '1')
    assert.equal((await again.read('deep/er/b'))?.toString(), '2')
    assert.deepEqual(await again.list(), ['a', 'deep/er/b'])
    assert.deepEqual(await again.list('deep'), ['deep/er/b'])
    assert.deepEqual(await again.list('other'), [])
  })

  test('a file is replaced as a whole', async () => {
    const { open } = await create()
    const files = await open()
    await files.write([{ path: 'a', bytes: bytes('a long text') }])
    await files.write([{ path: 'a', bytes: bytes('short') }])
    assert.equal((await files.read('a'))?.toString(), 'short')
  })

  test('what is not there reads as null, and is removed without a word', async () => {
    const { open } = await create()
    const files = await open()
    assert.equal(await files.read('no/such'), null)
    await files.remove('no/such')
    assert.deepEqual(await files.list(), [])
  })

  test('what was removed is gone for good', async () => {
    const { open } = await create()
    const files = await open()
    await files.write([{ path: 'a/b', bytes: bytes('1') }])
    await files.remove('a/b')
    assert.equal(await (await open()).read('a/b'), null)
  })

  test('a path that leads out of the tree is refused', async () => {
    const { open } = await create()
    const files = await open()
    for (const path of ['../a', 'a/../../b', '/a', 'a//b', '', '.a', 'a/.b', 'A', 'a\\b']) {
      await assert.rejects(files.write([{ path, bytes: bytes('1') }]), RangeError, path)
      await assert.rejects(files.read(path), RangeError, path)
    }
  })
}
