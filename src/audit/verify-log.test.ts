import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readDurableFiles } from '../adapters/durable-files/open-durable-files.ts'
import { newLogDirectory, openTestLog } from './harness/open-test-log.ts'
import { checkProof, proveEntry } from './proof.ts'
import type { VerifierKey } from './signed-note.ts'
import { verifyLog } from './verify-log.ts'

const root = newLogDirectory()
const copy = join(root, 'copy')
let keys: readonly VerifierKey[]
let earlierNote: Buffer

const checkpointOf = (directory: string): Buffer => readFileSync(join(directory, 'checkpoint'))

/** 300 entries: a full tile, a partial one, one of level 1, and partial ones of earlier sizes. */
before(async () => {
  const opened = await openTestLog(root)
  keys = opened.keys
  const append = (from: number, to: number) =>
    Promise.all(
      Array.from({ length: to - from }, (_, at) =>
        opened.log.append(Buffer.from(JSON.stringify({ id: `e${from + at}`, text: 'x'.repeat(at % 50) }))),
      ),
    )
  await append(0, 270)
  earlierNote = checkpointOf(join(root, 'audit'))
  await append(270, 290)
  await append(290, 300)
  await opened.log.close()
})
after(() => rmSync(root, { recursive: true, force: true }))

function freshCopy(): string {
  rmSync(copy, { recursive: true, force: true })
  cpSync(join(root, 'audit'), copy, { recursive: true })
  return copy
}

async function problems(directory: string, earlier: readonly Buffer[] = []): Promise<readonly string[]> {
  const files = readDurableFiles(directory)
  const kept = earlier.map((note, at) => ({ name: `earlier ${at}`, note }))
  return (await verifyLog({ files, keys, earlier: kept })).problems
}

function allFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .sort()
}

test('an untouched copy verifies, by itself and against a checkpoint from before', async () => {
  assert.deepEqual(await problems(freshCopy()), [])
  assert.deepEqual(await problems(copy, [earlierNote, checkpointOf(copy)]), [])
})

test('a changed bit anywhere in any file is found', async () => {
  freshCopy()
  const names = allFiles(copy)
  assert.ok(
    names.includes('tile/0/000') && names.includes('tile/1/000.p/1') && names.length >= 9,
    names.join(' '),
  )
  let tried = 0
  for (const name of names) {
    const path = join(copy, name)
    const whole = readFileSync(path)
    // Every byte of what is short; of what is long the ends, and a place in each region between.
    const step = Math.max(1, Math.floor(whole.length / 40))
    const places = new Set([0, 1, 2, 3, whole.length - 2, whole.length - 1])
    for (let at = 0; at < whole.length; at += step) places.add(at)
    for (const at of places) {
      const bytes = Buffer.from(whole)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
      writeFileSync(path, bytes)
      assert.notDeepEqual(await problems(copy), [], `${name}, byte ${at}`)
      tried += 1
    }
    writeFileSync(path, whole)
  }
  assert.ok(tried > 300, `${tried} places`)
  assert.deepEqual(await problems(copy), [])
})

test('a file that is cut short, made longer, emptied or removed is found', async () => {
  freshCopy()
  const needed = [
    'checkpoint',
    'tile/0/000',
    'tile/0/001.p/44',
    'tile/1/000.p/1',
    'tile/entries/000',
    'tile/entries/001.p/44',
  ]
  for (const name of allFiles(copy)) {
    const path = join(copy, name)
    const whole = readFileSync(path)
    for (const changed of [
      whole.subarray(0, -1),
      whole.subarray(1),
      whole.subarray(0, -32),
      whole.subarray(0, 0),
      Buffer.concat([whole, Buffer.alloc(1)]),
      Buffer.concat([whole, whole]),
    ]) {
      writeFileSync(path, changed)
      assert.notDeepEqual(await problems(copy), [], `${name}, ${changed.length} of ${whole.length} bytes`)
    }
    rmSync(path)
    // Tiles of earlier sizes may be gone: the format lets them.
    if (needed.includes(name)) assert.notDeepEqual(await problems(copy), [], `${name} removed`)
    writeFileSync(path, whole)
  }
})

/** The file's entries, or hashes, with those at two places exchanged. */
function swapped(whole: Buffer, [start, middle, end]: readonly [number, number, number]): Buffer {
  return Buffer.concat([
    whole.subarray(0, start),
    whole.subarray(middle, end),
    whole.subarray(start, middle),
    whole.subarray(end),
  ])
}

test('entries or hashes that change places are found, also where all tiles follow suit', async () => {
  freshCopy()
  const bundle = join(copy, 'tile/entries/000')
  const tile = join(copy, 'tile/0/000')
  const [entries, hashes] = [readFileSync(bundle), readFileSync(tile)]
  const first = 2 + entries.readUInt16BE(0)
  const second = first + 2 + entries.readUInt16BE(first)
  writeFileSync(bundle, swapped(entries, [0, first, second]))
  assert.notDeepEqual(await problems(copy), [])
  writeFileSync(tile, swapped(hashes, [0, 32, 64]))
  const found = await problems(copy)
  assert.ok(
    found.some((problem) => problem.includes('root of the checkpoint')),
    found.join('\n'),
  )
  writeFileSync(bundle, entries)
  assert.notDeepEqual(await problems(copy), [])
  freshCopy()
  for (const level of ['0', 'entries']) {
    const [one, other] = [join(copy, `tile/${level}/000`), join(copy, `tile/${level}/001.p/44`)]
    renameSync(one, `${copy}/swap`)
    renameSync(other, one)
    renameSync(`${copy}/swap`, other)
  }
  assert.notDeepEqual(await problems(copy), [])
})

test('a file that does not belong to the log is found', async () => {
  for (const name of [
    'tile/0/002',
    'tile/entries/001',
    'tile/0/001.p/45',
    'tile/7/000',
    'note',
    'tile/0/000.p/0',
  ]) {
    freshCopy()
    cpSync(join(copy, 'tile/0/000'), join(copy, name), { recursive: true })
    assert.notDeepEqual(await problems(copy), [], name)
  }
})

test('a log that was cut back is found by what lies beyond, and where that is gone too, by a checkpoint kept elsewhere', async () => {
  freshCopy()
  const latest = checkpointOf(copy)
  writeFileSync(join(copy, 'checkpoint'), earlierNote)
  const found = await problems(copy)
  assert.ok(
    found.length > 0 && found.every((problem) => problem.includes('beyond the checkpoint')),
    found.join('\n'),
  )
  for (const name of allFiles(copy)) {
    const width = Number(/\.p\/(\d+)$/.exec(name)?.[1] ?? 0)
    if (name.includes('/001.p/') && width > 14) rmSync(join(copy, name))
  }
  assert.deepEqual(await problems(copy), [], 'this is what the log was then')
  const [problem] = await problems(copy, [latest])
  assert.match(problem ?? '', /cut back: it had 300 entries/)
})

test('another log under the same name is found by its keys, and by a checkpoint from before', async () => {
  const other = newLogDirectory()
  const opened = await openTestLog(other)
  await Promise.all(Array.from({ length: 300 }, (_, at) => opened.log.append(Buffer.from(`other ${at}`))))
  await opened.log.close()
  const files = readDurableFiles(join(other, 'audit'))
  const verify = (with_: readonly VerifierKey[]) =>
    verifyLog({ files, keys: with_, earlier: [{ name: 'then', note: earlierNote }] })
  assert.match((await verify(keys)).problems[0] ?? '', /no signature of the key/)
  assert.match((await verify(opened.keys)).problems[0] ?? '', /The checkpoint then does not hold/)
  rmSync(other, { recursive: true, force: true })
})

test('every entry is proven by one file, which holds without the log, and for no other bytes', async () => {
  const files = readDurableFiles(freshCopy())
  for (const id of ['e0', 'e255', 'e256', 'e299']) {
    const proof = await proveEntry(id, { files, keys })
    assert.ok(proof !== null)
    const checked = checkProof(proof, keys)
    assert.equal(checked.index, Number(id.slice(1)))
    assert.equal(checked.size, 300)
    assert.equal((JSON.parse(checked.entry) as { id: string }).id, id)
    assert.equal(await proveEntry(id.slice(1), { files, keys }), proof)
    const bytes = Buffer.from(proof)
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      assert.throws(() => checkProof(changed.toString('utf8'), keys), `${id}, byte ${at}`)
    }
  }
  assert.equal(await proveEntry('e300', { files, keys }), null)
  assert.equal(await proveEntry('300', { files, keys }), null)
})
