import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { sampleEvent } from '../../delivery/harness/sample-event.ts'
import type { OversightEvent } from '../../domain/oversight-event.ts'
import { createJsonlFileSink } from './jsonl-file-sink.ts'

const root = mkdtempSync(join(tmpdir(), 'gatewright-jsonl-'))
after(() => rmSync(root, { recursive: true }))

const newDirectory = (): string => mkdtempSync(join(root, 'sink-'))
const signal = new AbortController().signal

function openSink(directory: string, own: object = {}) {
  return createJsonlFileSink({
    name: 'file',
    path: join(directory, 'events.jsonl'),
    rotateBytes: 1_000_000,
    rotateHours: 24,
    keepFiles: 3,
    now: Date.now,
    writeLine: (event) => JSON.stringify(event),
    ...own,
  })
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1)
const idsOf = (path: string): string[] => linesOf(path).map((line) => (JSON.parse(line) as OversightEvent).id)
const event = (id: string): OversightEvent => sampleEvent({ id })

test('each event is a line; others cannot read the file; batches given at once do not mix', async () => {
  const directory = newDirectory()
  const sink = openSink(directory)
  const batches = Array.from({ length: 20 }, (_, at) => [event(`${at}a`), event(`${at}b`)])
  const outcomes = await Promise.all(batches.map((batch) => sink.deliver(batch, signal)))
  assert.ok(outcomes.every(({ retry, problem }) => retry.length === 0 && problem === ''))
  await sink.close()
  const path = join(directory, 'events.jsonl')
  assert.deepEqual(
    idsOf(path),
    batches.flat().map(({ id }) => id),
  )
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(JSON.parse(linesOf(path)[0] ?? ''), event('0a'))
})

test('a file that is large or old enough is put aside, and those beyond the number kept are removed', async () => {
  const directory = newDirectory()
  let now = Date.UTC(2026, 10, 28)
  const sink = openSink(directory, { rotateBytes: 600, now: () => now })
  for (let at = 0; at < 12; at += 1) {
    await sink.deliver([event(`e${at}`)], signal)
    now += 1000
  }
  const aside = readdirSync(directory).filter((name) => name !== 'events.jsonl')
  assert.equal(aside.length, 3)
  assert.ok(aside.every((name) => /^events\.jsonl\.2026-11-28T[\d-]+Z$/.test(name)))
  assert.deepEqual(idsOf(join(directory, 'events.jsonl')).at(-1), 'e11')
  const current = statSync(join(directory, 'events.jsonl')).size
  now += 25 * 3_600_000
  await sink.deliver([event('next day')], signal)
  assert.ok(current > 0)
  assert.deepEqual(idsOf(join(directory, 'events.jsonl')), ['next day'])
  await sink.close()
})

test('after a line that a crash tore, lines are whole', async () => {
  const directory = newDirectory()
  const path = join(directory, 'events.jsonl')
  appendFileSync(path, '{"id":"whole"}\n{"id":"to')
  const sink = openSink(directory)
  await sink.deliver([event('after')], signal)
  await sink.close()
  assert.deepEqual(linesOf(path).slice(0, 2), ['{"id":"whole"}', '{"id":"to'])
  assert.equal((JSON.parse(linesOf(path)[2] ?? '') as OversightEvent).id, 'after')
})

test('a file that cannot be written is said so, and written once it can be', async () => {
  const directory = newDirectory()
  const missing = join(directory, 'not-there')
  const sink = openSink(missing)
  const outcome = await sink.deliver([event('a'), event('b')], signal)
  assert.deepEqual(outcome.retry, [0, 1])
  assert.equal(outcome.problem, 'the file cannot be written (ENOENT)')
  mkdirSync(missing)
  assert.deepEqual((await sink.deliver([event('a')], signal)).retry, [])
  assert.deepEqual(idsOf(join(missing, 'events.jsonl')), ['a'])
  await sink.close()
})
