import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ContentRecord } from '../../domain/content.ts'
import type { ContentLog } from '../../ports/content-log.ts'
import type { SecretBox } from '../../ports/secret-box.ts'
import { openFileSecretBox } from '../file-secret-box/open-file-secret-box.ts'
import { openSealedContentLog } from './open-sealed-content-log.ts'
import { openRecord, readHeader, sealRecord } from './sealed-record.ts'

const dayMs = 86_400_000
const start = Date.UTC(2026, 10, 23, 12)

interface Fixture {
  readonly log: ContentLog
  readonly secretBox: SecretBox
  readonly directory: string
  now: number
  retentionDays: number
}

async function openFixture(t: TestContext): Promise<Fixture> {
  const base = mkdtempSync(join(tmpdir(), 'gatewright-content-'))
  const directory = join(base, 'content')
  const secretBox = openFileSecretBox({ path: join(base, 'root.key') })
  const fixture = { directory, secretBox, now: start, retentionDays: 7 }
  const log = openSealedContentLog({
    directory,
    secretBox,
    retentionDays: () => fixture.retentionDays,
    now: () => fixture.now,
  })
  t.after(async () => {
    await log.close()
    rmSync(base, { recursive: true })
  })
  return Object.assign(fixture, { log })
}

const prompt = 'the merger closes on friday'
const reply = 'buy at eleven'

function record(own: Partial<ContentRecord> = {}): ContentRecord {
  const body = (text: string) => ({
    contentType: 'application/json',
    bytes: text.length,
    kept: Buffer.from(text),
  })
  return {
    id: 'req_1',
    time: start,
    organizationId: 'org_a',
    applicationId: 'app_a',
    keyId: 'key_a',
    operation: 'chat.completions',
    model: 'gpt',
    status: 200,
    request: body(prompt),
    response: body(reply),
    ...own,
  }
}

function add(log: ContentLog, each: ContentRecord): Promise<void> {
  return new Promise((resolve, reject) =>
    log.add(each, (fault) => (fault === null ? resolve() : reject(fault))),
  )
}

function bytesBelow(directory: string): Buffer {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  return Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))))
}

test('what was stored is read back by request id, after a restart too', async (t) => {
  const fixture = await openFixture(t)
  await add(fixture.log, record())
  await add(fixture.log, record({ id: 'req_2', model: 'other' }))
  assert.equal((await fixture.log.read('org_a', 'req_2'))?.model, 'other')
  await fixture.log.close()
  const found = await fixture.log.read('org_a', 'req_1')
  assert.equal(Buffer.from(found?.request.kept ?? []).toString(), prompt)
  assert.equal(Buffer.from(found?.response.kept ?? []).toString(), reply)
  assert.equal(await fixture.log.read('org_a', 'req_3'), null)
})

test('nothing of the content, the model or the key is readable in the files, which are private', async (t) => {
  const { log, directory } = await openFixture(t)
  await add(log, record())
  await log.close()
  const bytes = bytesBelow(directory)
  for (const word of [prompt, 'merger', reply, 'gpt', 'key_a', 'chat.completions', 'application/json']) {
    assert.equal(bytes.includes(word), false, word)
  }
  assert.equal(statSync(directory).mode & 0o077, 0)
})

test('another organization gets nothing', async (t) => {
  const { log } = await openFixture(t)
  await add(log, record())
  assert.equal(await log.read('org_b', 'req_1'), null)
})

test('nothing is created before the first record', async (t) => {
  const { log, directory } = await openFixture(t)
  assert.equal(await log.read('org_a', 'req_1'), null)
  assert.equal(await log.prune(), 0)
  assert.equal(existsSync(directory), false)
})

test('content is not given out after its retention, and its day is removed whole', async (t) => {
  const fixture = await openFixture(t)
  await add(fixture.log, record())
  fixture.now = start + 3 * dayMs
  await add(fixture.log, record({ id: 'req_2', time: fixture.now }))
  assert.deepEqual(readdirSync(fixture.directory), ['2026-11-23', '2026-11-26'])
  fixture.now = start + 7 * dayMs + 1
  assert.equal(await fixture.log.read('org_a', 'req_1'), null)
  assert.ok(await fixture.log.read('org_a', 'req_2'))
  assert.equal(await fixture.log.prune(), 0, 'the day of the first record may hold younger ones')
  fixture.now = start + 8 * dayMs
  assert.equal(await fixture.log.prune(), 1)
  assert.deepEqual(readdirSync(fixture.directory), ['2026-11-26'])
  fixture.retentionDays = 1
  await add(fixture.log, record({ id: 'req_3', time: fixture.now }))
  assert.equal(await fixture.log.prune(), 1, 'a shorter retention takes effect on what is there')
  assert.ok(await fixture.log.read('org_a', 'req_3'))
})

test('a record that was altered in any byte, or opened with another root key, does not open', async (t) => {
  const { secretBox, directory } = await openFixture(t)
  const sealed = await sealRecord(record(), secretBox)
  assert.equal(readHeader(sealed)?.id, 'req_1')
  for (let at = 0; at < sealed.length; at += 7) {
    const altered = Buffer.from(sealed)
    altered[at] = (altered[at] ?? 0) ^ 1
    await assert.rejects(openRecord(altered, secretBox), { name: 'Fault' }, `byte ${at}`)
  }
  const other = openFileSecretBox({ path: join(directory, '..', 'other.key') })
  await assert.rejects(openRecord(sealed, other), { name: 'Fault' })
})

test('bodies far beyond what a secret box takes come back whole', async (t) => {
  const { log } = await openFixture(t)
  const kept = Buffer.alloc(3_000_000, 'é')
  await add(log, record({ request: { contentType: 'x', bytes: 9_000_000, kept } }))
  const found = await log.read('org_a', 'req_1')
  assert.deepEqual([found?.request.bytes, Buffer.compare(found?.request.kept ?? kept, kept)], [9_000_000, 0])
})

test('more than may wait is refused, not held', async (t) => {
  const { log } = await openFixture(t)
  const kept = new Uint8Array(5_000_000)
  const outcomes = await Promise.all(
    Array.from({ length: 16 }, (_, at) =>
      add(log, record({ id: `req_${at}`, request: { contentType: 'x', bytes: kept.length, kept } })).then(
        () => 'stored',
        () => 'refused',
      ),
    ),
  )
  assert.ok(outcomes.includes('refused') && outcomes.includes('stored'))
})

test('closing waits for what was given before', async (t) => {
  const { log } = await openFixture(t)
  const outcomes: unknown[] = []
  for (let at = 0; at < 20; at += 1) log.add(record({ id: `req_${at}` }), (fault) => outcomes.push(fault))
  await log.close()
  assert.deepEqual(outcomes, Array(20).fill(null))
})

test('records are stored while others are read, from the first moment after a restart', async (t) => {
  const fixture = await openFixture(t)
  for (let day = 0; day < 3; day += 1) {
    fixture.now = start + day * dayMs
    for (let at = 0; at < 20; at += 1)
      await add(fixture.log, record({ id: `req_${day}_${at}`, time: fixture.now }))
  }
  await fixture.log.close()
  const reads = Promise.all(['req_0_0', 'req_2_19', 'req_none'].map((id) => fixture.log.read('org_a', id)))
  await Promise.all(
    Array.from({ length: 20 }, (_, at) => add(fixture.log, record({ id: `new_${at}`, time: fixture.now }))),
  )
  assert.deepEqual(
    (await reads).map((found) => found?.id),
    ['req_0_0', 'req_2_19', undefined],
  )
  assert.equal((await fixture.log.read('org_a', 'new_19'))?.id, 'new_19')
})
