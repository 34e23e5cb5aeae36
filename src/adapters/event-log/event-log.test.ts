import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { Fault } from '../../kernel/fault.ts'
import { appendDurably, readTexts, testEventLogContract } from '../../ports/event-log.contract.ts'
import { openEventLog } from './open-event-log.ts'
import type { TornTail } from './segments.ts'
import { acquireWriterLock } from './writer-lock.ts'

const root = mkdtempSync(join(tmpdir(), 'gatewright-event-log-'))
after(() => rmSync(root, { recursive: true }))
let count = 0
function newDirectory(): string {
  count += 1
  const directory = join(root, String(count))
  mkdirSync(directory)
  return directory
}

testEventLogContract(async () => {
  const directory = newDirectory()
  return { open: () => openEventLog({ directory, groupMs: 1 }), remove: async () => undefined }
})

const segment1 = (directory: string) => join(directory, 'events-0000000001.log')

async function writeThree(directory: string): Promise<void> {
  const log = await openEventLog({ directory, groupMs: 1 })
  for (const text of ['one', 'two', 'three']) await appendDurably(log, text)
  await log.close()
}

test('a tail torn at any byte is cut off and reported; what was whole before it stays', async () => {
  const directory = newDirectory()
  await writeThree(directory)
  const whole = readFileSync(segment1(directory))
  const frame = 8 + 'three'.length
  for (let cut = 1; cut < frame; cut += 1) {
    const copy = newDirectory()
    writeFileSync(segment1(copy), whole.subarray(0, whole.length - cut))
    const damage: TornTail[] = []
    const log = await openEventLog({ directory: copy, onDamage: (torn) => damage.push(torn) })
    assert.deepEqual(await readTexts(log), ['one', 'two'])
    assert.deepEqual(damage, [{ segment: 1, offset: whole.length - frame, bytes: frame - cut }])
    await appendDurably(log, 'again')
    assert.deepEqual(await readTexts(log), ['one', 'two', 'again'])
    await log.close()
  }
})

test('no damage to the last segment makes a reader see what was never written', async () => {
  const directory = newDirectory()
  await writeThree(directory)
  const whole = readFileSync(segment1(directory))
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const copy = newDirectory()
      const bytes = Buffer.from(whole)
      bytes[at] = (bytes[at] ?? 0) ^ flip
      writeFileSync(segment1(copy), bytes)
      const log = await openEventLog({ directory: copy, onDamage: () => undefined })
      const texts = await readTexts(log)
      assert.deepEqual(texts, ['one', 'two', 'three'].slice(0, texts.length))
      assert.ok(texts.length < 3)
      await log.close()
      rmSync(copy, { recursive: true })
    }),
    { numRuns: 60 },
  )
})

test('garbage or zeros after the last frame are cut off', async () => {
  for (const tail of [Buffer.alloc(5000), Buffer.alloc(5000, 0xff), Buffer.from('junk')]) {
    const directory = newDirectory()
    await writeThree(directory)
    appendFileSync(segment1(directory), tail)
    const log = await openEventLog({ directory })
    const texts = (await readTexts(log)).filter((text) => text !== '')
    assert.deepEqual(texts, ['one', 'two', 'three'])
    await log.close()
  }
})

test('segments roll by size, cursors lead across them, damage in one does not hide the next', async () => {
  const directory = newDirectory()
  const damage: TornTail[] = []
  const log = await openEventLog({
    directory,
    groupMs: 1,
    segmentBytes: 100,
    onDamage: (torn) => damage.push(torn),
  })
  const texts = Array.from({ length: 12 }, (_, index) => `event-${index}`.padEnd(30))
  for (const text of texts) await appendDurably(log, text)
  assert.ok(readdirSync(directory).filter((name) => name.startsWith('events-')).length >= 5)
  for await (const frame of log.read(null)) {
    const next = texts.indexOf(frame.payload.toString()) + 1
    assert.deepEqual(await readTexts(log, frame.cursor), texts.slice(next))
  }
  truncateSync(join(directory, 'events-0000000002.log'), 20)
  assert.deepEqual(await readTexts(log), [...texts.slice(0, 2), ...texts.slice(4)])
  assert.equal(damage[0]?.segment, 2)
  await log.close()
})

test('retention removes old or surplus segments, but nothing at or after the place to keep', async () => {
  const directory = newDirectory()
  const log = await openEventLog({
    directory,
    groupMs: 1,
    segmentBytes: 100,
    maxSegments: 3,
    maxAgeMs: 60_000,
  })
  for (let index = 0; index < 12; index += 1) await appendDurably(log, `event-${index}`.padEnd(30))
  const names = () => readdirSync(directory).filter((name) => name.startsWith('events-'))
  const before = names().length
  assert.equal(await log.prune('1.8'), 0)
  assert.equal(await log.prune(log.end()), before - 3)
  for (const name of names().slice(0, 1)) utimesSync(join(directory, name), 1, 1)
  assert.equal(await log.prune(log.end()), 1)
  assert.equal((await readTexts(log, '1.8')).length, 4)
  await log.close()
})

test('before anything is removed it is said up to where, and nothing goes when that fails', async () => {
  const directory = newDirectory()
  const log = await openEventLog({ directory, segmentBytes: 100, maxSegments: 3 })
  for (let index = 0; index < 12; index += 1) await appendDurably(log, `event-${index}`.padEnd(30))
  const all = await readTexts(log)
  await assert.rejects(
    log.prune(log.end(), () => Promise.reject(new Error('not now'))),
    /not now/,
  )
  assert.deepEqual(await readTexts(log), all)
  const going: string[] = []
  const seen = async (end: string): Promise<void> => {
    for await (const { payload } of log.read(null, end)) going.push(payload.toString())
  }
  await log.prune(log.end(), seen)
  assert.ok(going.length > 0)
  assert.deepEqual([...going, ...(await readTexts(log))], all)
  await log.close()
})

test('a directory has one writer at a time; the second is told so, and may come when the first has gone', async () => {
  const directory = newDirectory()
  const log = await openEventLog({ directory })
  const refusal = (error: unknown) =>
    error instanceof Fault && error.publicText.includes(`in use by process ${process.pid}`)
  await assert.rejects(openEventLog({ directory }), refusal)
  assert.throws(() => acquireWriterLock(directory), refusal)
  await log.close()
  await (await openEventLog({ directory })).close()
})

test('the lock of a thread that died is free at once, so that the next one can take over', async () => {
  const directory = newDirectory()
  const lockUrl = new URL('writer-lock.ts', import.meta.url).href
  const source = `import(${JSON.stringify(lockUrl)}).then(({ acquireWriterLock }) => {
    acquireWriterLock(${JSON.stringify(directory)})
    throw new Error('the thread dies')
  })`
  const message = await new Promise<string>((resolve) => {
    const worker = new Worker(source, { eval: true })
    let reason = ''
    worker.on('error', (error) => {
      reason = error instanceof Error ? error.message : ''
    })
    worker.on('exit', () => resolve(reason))
  })
  assert.equal(message, 'the thread dies')
  acquireWriterLock(directory).release()
})

test('after a failed sync nothing is taken until the log is opened again, which finds what was durable and no more', async (t) => {
  const directory = newDirectory()
  const log = await openEventLog({ directory, groupMs: 1 })
  await appendDurably(log, 'durable')
  assert.equal(log.isBroken, false)
  const probe = await open(program)
  const methods = Object.getPrototypeOf(probe) as { datasync(): Promise<void> }
  await probe.close()
  const failing = t.mock.method(methods, 'datasync', () => Promise.reject(new Error('EIO')))
  assert.equal((await appendDurably(log, 'doubtful'))?.code, 'storage.unavailable')
  failing.mock.restore()
  assert.equal(log.isBroken, true)
  assert.equal((await appendDurably(log, 'later'))?.code, 'storage.unavailable')
  await log.close()
  const again = await openEventLog({ directory, groupMs: 1, onDamage: () => assert.fail('nothing was torn') })
  assert.deepEqual(await readTexts(again), ['durable'])
  await appendDurably(again, 'doubtful')
  assert.deepEqual(await readTexts(again), ['durable', 'doubtful'])
  await again.close()
})

const program = fileURLToPath(new URL('harness/append-until-killed.ts', import.meta.url))

/** Runs the test program until it ends or has printed `lines` lines, then kills it outright. */
function runProgram(command: string, args: readonly string[], lines: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.split('\n').length > lines) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('close', () => resolve(output.split('\n').slice(0, -1)))
  })
}

function numbersOf(texts: readonly string[]): readonly number[] {
  return texts.filter((text) => !text.startsWith('small')).map((text) => Number.parseInt(text, 10))
}

test('after kill -9 every event reported durable is there, whole and in order', async () => {
  const directory = newDirectory()
  const printed = await runProgram(process.execPath, [program, directory], 300)
  assert.ok(printed.length >= 300)
  const log = await openEventLog({ directory })
  const numbers = numbersOf(await readTexts(log))
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index),
  )
  assert.ok(numbers.length >= printed.length)
  await log.close()
})

test('a disk that is full refuses the append, shows nothing half-written, and the log stays usable', async (t) => {
  if (process.platform === 'win32') return t.skip('no file size limits to stand for a full disk')
  const directory = newDirectory()
  // 64 blocks of 1,024 bytes per file: below the segment size, so a group fails part of the way through.
  const command = `ulimit -f 64 && exec "$0" "$1" "$2"`
  const args = ['-c', command, process.execPath, program, directory]
  const printed = await runProgram('bash', args, 10_000)
  const durable = printed.filter((line) => /^\d+$/.test(line))
  assert.ok(printed.includes('fault storage.unavailable'))
  assert.ok(printed.includes('small'))
  const log = await openEventLog({
    directory,
    onDamage: () => assert.fail('nothing was torn'),
  })
  const texts = await readTexts(log)
  assert.deepEqual(numbersOf(texts), durable.map(Number), 'what is there is what was reported durable')
  assert.ok(statSync(segment1(directory)).size <= 64 * 1024)
  await log.close()
})
