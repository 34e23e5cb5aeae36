import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Fault } from '../kernel/fault.ts'
import type { DurableFiles } from '../ports/durable-files.ts'
import { newLogDirectory, openTestLog, openTestParts } from './harness/open-test-log.ts'
import { readEntries } from './proof.ts'
import { verifyLog } from './verify-log.ts'

const roots: string[] = []
after(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true })
})
function newRoot(): string {
  const root = newLogDirectory()
  roots.push(root)
  return root
}

async function textsOf(root: string): Promise<readonly string[]> {
  const texts: string[] = []
  for await (const { entry } of readEntries(await openTestParts(root))) texts.push(entry.toString())
  return texts
}

async function problemsOf(root: string): Promise<readonly string[]> {
  return (await verifyLog({ ...(await openTestParts(root)), earlier: [] })).problems
}

const unavailable = (error: unknown): boolean => error instanceof Fault && error.code === 'audit.unavailable'

test('entries get their places in order, are published when that is told, and are there after opening again', async () => {
  const root = newRoot()
  const { log } = await openTestLog(root)
  const first = Array.from({ length: 600 }, (_, at) => `entry ${at}`)
  const indexes = await Promise.all(first.map((text) => log.append(Buffer.from(text))))
  assert.deepEqual(
    indexes,
    first.map((_, at) => at),
  )
  assert.deepEqual(await textsOf(root), first, 'read before closing: told means published')
  await log.close()
  await assert.rejects(log.append(Buffer.from('late')), unavailable)
  const again = (await openTestLog(root)).log
  assert.equal(await again.append(Buffer.from('entry 600')), 600)
  await again.close()
  assert.deepEqual(await textsOf(root), [...first, 'entry 600'])
  assert.deepEqual(await problemsOf(root), [])
})

test('what waits goes into one commit, and commits keep their pace', async () => {
  const root = newRoot()
  const checkpoints: string[] = []
  const { log } = await openTestLog(root, { paceMs: 60, onCheckpoint: (note) => checkpoints.push(note) })
  const began = performance.now()
  const texts = Array.from({ length: 200 }, (_, at) => `entry ${at}`)
  await Promise.all(texts.map((text) => log.append(Buffer.from(text))))
  await log.append(Buffer.from('last'))
  assert.ok(performance.now() - began >= 60)
  assert.ok(checkpoints.length <= 3, `${checkpoints.length} commits`)
  assert.equal(checkpoints.at(-1), readFileSync(join(root, 'audit', 'checkpoint'), 'utf8'))
  await log.close()
})

const program = fileURLToPath(new URL('harness/append-until-killed.ts', import.meta.url))

/** Runs the program and kills it outright once it has printed `lines` lines. Returns the last index. */
function appendAndKill(root: string, lines: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, root], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.split('\n').length > lines) child.kill('SIGKILL')
    })
    child.on('error', reject)
    // What stands after the last line break was torn.
    child.on('close', () => resolve(Number(output.split('\n').at(-2))))
  })
}

test('after kill -9, again and again, every entry that was told is there, in order, and the tree verifies', async () => {
  const root = newRoot()
  let told = -1
  for (let round = 1; round <= 8; round += 1) {
    told = await appendAndKill(root, 40 * round)
    const torn = await problemsOf(root)
    // Files of a commit that did not come to its checkpoint, and nothing else.
    assert.deepEqual(
      torn.filter((problem) => !problem.includes('beyond the checkpoint')),
      [],
    )
    const { log } = await openTestLog(root)
    assert.ok(log.published.size > told)
    await log.close()
    assert.deepEqual(await problemsOf(root), [])
    const texts = await textsOf(root)
    assert.deepEqual(
      texts,
      texts.map((_, at) => `entry ${at}`),
    )
  }
  assert.ok(told > 500, `${told} entries went through a full tile`)
})

test('a log that was cut back or changed is not opened, and not mended', async () => {
  const root = newRoot()
  const opened = await openTestLog(root)
  for (let at = 0; at < 3; at += 1) await opened.log.append(Buffer.from(`entry ${at}`))
  const old = readFileSync(join(root, 'audit', 'checkpoint'))
  await opened.log.append(Buffer.from('entry 3'))
  await opened.log.close()
  const checkpointPath = join(root, 'audit', 'checkpoint')
  const latest = readFileSync(checkpointPath)
  writeFileSync(checkpointPath, old)
  await assert.rejects(openTestLog(root), /had 4 entries and has 3/)
  rmSync(checkpointPath)
  await assert.rejects(openTestLog(root), /checkpoint is missing/)
  writeFileSync(checkpointPath, latest)
  const bundle = join(root, 'audit', 'tile', 'entries', '000.p', '4')
  const bytes = readFileSync(bundle)
  bytes[bytes.length - 1] = 0x58
  writeFileSync(bundle, bytes)
  await assert.rejects(openTestLog(root), /hashes of their tile/)
  assert.deepEqual(readFileSync(bundle), bytes)
})

/** Files whose next writes fail, before or after they have happened. */
function failing(files: DurableFiles): {
  readonly files: DurableFiles
  fail(path: RegExp, when: 'before' | 'after'): void
} {
  let rule: { path: RegExp; when: 'before' | 'after' } | null = null
  return {
    files: {
      read: (path) => files.read(path),
      remove: (path) => files.remove(path),
      list: (directory) => files.list(directory),
      async write(contents) {
        const met = rule !== null && contents.some(({ path }) => rule?.path.test(path)) ? rule : null
        if (met === null) return files.write(contents)
        rule = null
        if (met.when === 'after') await files.write(contents)
        throw new Error('ENOSPC')
      },
    },
    fail(path, when) {
      rule = { path, when }
    },
  }
}

test('a commit that fails anywhere is refused, and the log goes on without signing two trees of one size', async () => {
  const root = newRoot()
  const parts = await openTestParts(root)
  const disk = failing(parts.files)
  const notes: string[] = []
  const { log } = await openTestLog(root, { files: disk.files, onCheckpoint: (note) => notes.push(note) })
  await log.append(Buffer.from('one'))
  for (const [path, when] of [
    [/^tile/, 'before'],
    [/^tile/, 'after'],
    [/^checkpoint/, 'before'],
    [/^checkpoint/, 'after'],
  ] as const) {
    disk.fail(path, when)
    await assert.rejects(log.append(Buffer.from(`refused ${path} ${when}`)), unavailable)
    await log.append(Buffer.from(`after ${path} ${when}`))
    assert.deepEqual(await problemsOf(root), [])
  }
  await log.close()
  const texts = await textsOf(root)
  // The checkpoint of the last one was on disk before the failure: it stays, because it was signed.
  assert.deepEqual(
    texts.filter((text) => text.startsWith('refused')),
    ['refused /^checkpoint/ after'],
  )
  assert.equal(texts.filter((text) => text.startsWith('after')).length, 4)
  const roots = new Map<string, string>()
  for (const note of notes) {
    const [, size = '', root64 = ''] = note.split('\n')
    assert.equal(roots.get(size) ?? root64, root64)
    roots.set(size, root64)
  }
})
