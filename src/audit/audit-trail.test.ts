import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { openFileSecretBox } from '../adapters/file-secret-box/open-file-secret-box.ts'
import type { OversightEvent } from '../domain/oversight-event.ts'
import { Fault } from '../kernel/fault.ts'
import { type AuditTrail, createAuditTrail } from './audit-trail.ts'
import { newLogDirectory, openTestLog, openTestParts } from './harness/open-test-log.ts'
import { checkProof, proveEntry, readEntries } from './proof.ts'
import { openSigningKeys, rewrapSigningKeys } from './signing-keys.ts'
import { openSubjectKeys, readSubjectKeys } from './subject-keys.ts'
import { verifyLog } from './verify-log.ts'

const roots: string[] = []
after(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true })
})

async function openTrail(root: string): Promise<AuditTrail> {
  const open = async () => {
    const { log, keyFiles, secretBox } = await openTestLog(root)
    return {
      log,
      subjects: await openSubjectKeys({ files: keyFiles, secretBox }),
      rewrapSigningKeys: () => rewrapSigningKeys({ files: keyFiles, secretBox }),
      exchange: async () => [],
      release: () => undefined,
    }
  }
  return createAuditTrail(open)
}

async function newTrail(): Promise<{ root: string; trail: AuditTrail }> {
  const root = newLogDirectory()
  roots.push(root)
  return { root, trail: await openTrail(root) }
}

function eventOf(
  fields: Partial<OversightEvent> = {},
  actor: Partial<OversightEvent['actor']> = {},
): OversightEvent {
  return {
    id: 'req_1',
    time: Date.UTC(2026, 10, 1),
    stream: 'audit',
    action: 'key.update',
    outcome: 'success',
    severity: 'info',
    reason: '',
    organizationId: 'org_1',
    actor: { kind: 'admin', id: 'tok1', applicationId: '', address: '', endUser: '', ...actor },
    resource: { kind: 'key', id: 'key_1' },
    exchange: null,
    ...fields,
  }
}

interface Entry {
  readonly id: string
  readonly personal?: readonly { readonly subject: string; readonly sealed: string }[]
}

async function entriesOf(root: string): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  for await (const { entry } of readEntries(await openTestParts(root)))
    entries.push(JSON.parse(entry.toString()) as Entry)
  return entries
}

/** What of the entries can be read with all keys that are there; null: nothing. */
async function personalOf(root: string): Promise<readonly (string | null)[]> {
  const { keyFiles: files, secretBox } = await openTestParts(root)
  const read = await readSubjectKeys({ files, secretBox })
  return (await entriesOf(root)).flatMap(({ id, personal = [] }) =>
    personal.map((fields) => read(fields, id)),
  )
}

/** Everything on disk, names included, as one text. */
function everything(root: string): string {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8', withFileTypes: true })
  return names
    .map(
      (entry) =>
        `${entry.name} ${entry.isFile() ? readFileSync(join(entry.parentPath, entry.name), 'latin1') : ''}`,
    )
    .join('\n')
}

test('an entry is canonical JSON of the fields of its event', async () => {
  const { root, trail } = await newTrail()
  await trail.record(eventOf(), { phase: 'result', before: { b: 1, a: 2 }, after: { a: 3 }, fields: ['a'] })
  await trail.close()
  const texts: string[] = []
  for await (const { entry } of readEntries(await openTestParts(root))) texts.push(entry.toString())
  assert.deepEqual(texts, [
    '{"action":"key.update","actor":{"application":"","id":"tok1","kind":"admin"},"after":{"a":3},"before":{"a":2,"b":1},"fields":["a"],"id":"req_1","organization":"org_1","outcome":"success","phase":"result","reason":"","resource":{"id":"key_1","kind":"key"},"severity":"info","stream":"audit","time":1793491200000,"v":1}',
  ])
})

test('a field that is on no list gets into no entry, whatever an event holds', async () => {
  const { root, trail } = await newTrail()
  const secret = 'sk-planted-0123456789'
  const planted = { ...eventOf(), password: secret, headers: { authorization: secret } }
  await trail.record(planted, { fields: ['credential'] })
  await trail.close()
  assert.ok(!everything(root).includes(secret))
})

test('images too large for an entry are named by size and hash; any event is stored', async () => {
  const { root, trail } = await newTrail()
  await trail.record(eventOf(), { before: { text: 'x'.repeat(200_000) }, after: { text: 'small' } })
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 2000 }), fc.jsonValue(), async (text, image) => {
      await trail.record(
        eventOf(
          { id: text, action: text, reason: text, organizationId: text },
          { endUser: text, address: text },
        ),
        { before: image, after: image, fields: Array.from({ length: 20 }, () => text) },
      )
    }),
    { numRuns: 50 },
  )
  await trail.close()
  const parts = await openTestParts(root)
  assert.deepEqual((await verifyLog({ ...parts, earlier: [] })).problems, [])
  const [first] = await entriesOf(root)
  const sha256 = createHash('sha256')
    .update(`{"text":"${'x'.repeat(200_000)}"}`)
    .digest('hex')
  assert.deepEqual(first, {
    ...first,
    before: { bytes: 200_011, sha256 },
    after: { text: 'small' },
  })
})

test('nothing personal rests in clear: not in the log, not in the names of files, not beside it', async () => {
  const { root, trail } = await newTrail()
  await trail.record(eventOf({}, { address: '203.0.113.77', endUser: 'ada@example.org' }))
  await trail.record(eventOf({}, { address: '203.0.113.78' }), {
    personal: {
      subject: { kind: 'admin', organizationId: '', id: 'tok2' },
      fields: { name: 'Ada Lovelace' },
    },
  })
  await trail.record(eventOf({}, { kind: 'unknown', id: '', address: '203.0.113.79' }))
  await trail.close()
  const disk = everything(root)
  for (const text of [
    '203.0.113',
    'ada@',
    'Ada L',
    'Lovelace',
    Buffer.from('203.0.113.77').toString('base64'),
  ]) {
    assert.ok(!disk.includes(text), text)
  }
  assert.deepEqual(await personalOf(root), [
    '{"address":"203.0.113.77","endUser":"ada@example.org"}',
    '{"address":"203.0.113.78","endUser":""}',
    '{"name":"Ada Lovelace"}',
    '{"address":"203.0.113.79","endUser":""}',
  ])
})

test('an erased subject can be read by nobody, all others can, and every proof from before holds', async () => {
  const { root, trail } = await newTrail()
  const ada = { kind: 'end-user', organizationId: 'org_1', id: 'ada' } as const
  await trail.record(eventOf({ id: 'a1' }, { endUser: 'ada', address: '203.0.113.1' }))
  await trail.record(eventOf({ id: 'b1' }, { endUser: 'bob', address: '203.0.113.2' }))
  await trail.record(eventOf({ id: 'a2', organizationId: 'org_2' }, { endUser: 'ada' }))
  const parts = await openTestParts(root)
  const proofs = await Promise.all(['a1', 'b1', 'a2'].map((id) => proveEntry(id, parts)))
  const keyFilesBefore = await parts.keyFiles.list('subjects')
  assert.equal(await trail.erase(ada), true)
  assert.equal(await trail.erase(ada), false)
  const read = await personalOf(root)
  assert.equal(read[0], null)
  assert.match(read[1] ?? '', /bob/)
  assert.match(read[2] ?? '', /ada/, 'the namesake of another organization is somebody else')
  assert.equal((await parts.keyFiles.list('subjects')).length, keyFilesBefore.length - 1)
  assert.deepEqual((await verifyLog({ ...parts, earlier: [] })).problems, [])
  for (const proof of proofs) checkProof(proof ?? '', parts.keys)
  await trail.record(eventOf({ id: 'a3' }, { endUser: 'ada' }))
  await trail.close()
  const [first, , , again] = await entriesOf(root)
  assert.notEqual(
    again?.personal?.[0]?.subject,
    first?.personal?.[0]?.subject,
    'who comes again is a new subject',
  )
  assert.equal((await personalOf(root))[0], null)
})

test('what was sealed for one entry does not open in another', async () => {
  const { root, trail } = await newTrail()
  await trail.record(eventOf({ id: 'one' }, { address: '203.0.113.1' }))
  await trail.close()
  const { keyFiles: files, secretBox } = await openTestParts(root)
  const read = await readSubjectKeys({ files, secretBox })
  const [entry] = await entriesOf(root)
  const [fields] = entry?.personal ?? []
  assert.ok(fields !== undefined)
  assert.notEqual(read(fields, 'one'), null)
  assert.equal(read(fields, 'two'), null)
})

test('a new root key opens everything once it is rewrapped, and the log goes on under its name', async () => {
  const { root, trail } = await newTrail()
  await trail.record(eventOf({ id: 'one' }, { endUser: 'ada' }))
  await trail.close()
  const { keyFiles: files, keys } = await openTestParts(root)
  const [entry] = await entriesOf(root)
  const newPath = join(root, 'new.key')
  const both = openFileSecretBox({ path: newPath, previousPaths: [join(root, 'root.key')] })
  const subjects = await openSubjectKeys({ files, secretBox: both })
  assert.equal(await rewrapSigningKeys({ files, secretBox: both }), true)
  assert.deepEqual(await subjects.rewrap(), { rewrapped: 2, kept: 0 })
  assert.deepEqual(await subjects.rewrap(), { rewrapped: 0, kept: 2 })
  const onlyNew = openFileSecretBox({ path: newPath })
  const signer = await openSigningKeys({ files, secretBox: onlyNew, newOrigin: () => 'example.org/other' })
  assert.deepEqual(
    signer.keys.map(({ id }) => id),
    keys.map(({ id }) => id),
  )
  const read = await readSubjectKeys({ files, secretBox: onlyNew })
  assert.match(read(entry?.personal?.[0] ?? { subject: '', sealed: '' }, 'one') ?? '', /ada/)
})

test('where the log cannot be opened, nothing is recorded and everybody is told', async () => {
  const trail = createAuditTrail(() => Promise.reject(new Error('damaged')))
  const refused = (error: unknown): boolean => error instanceof Fault && error.code === 'audit.unavailable'
  await assert.rejects(trail.record(eventOf()), refused)
  await assert.rejects(trail.erase({ kind: 'key', organizationId: '', id: 'k' }), refused)
  assert.deepEqual(trail.figures(), { entries: [], failures: 1, published: null })
  await trail.close()
})

test('a flood of events is bounded: what is too much is refused at once, the rest is published', async () => {
  const { root, trail } = await newTrail()
  const outcomes = await Promise.allSettled(
    Array.from({ length: 5000 }, (_, at) => trail.record(eventOf({ id: `e${at}` }))),
  )
  const refused = outcomes.filter(({ status }) => status === 'rejected').length
  assert.equal(refused, 5000 - 4096)
  await trail.record(eventOf({ id: 'afterwards' }))
  await trail.close()
  assert.equal((await entriesOf(root)).length, 4097)
})

test('the trail counts what it has published', async () => {
  const { trail } = await newTrail()
  await trail.record(eventOf())
  await trail.record(eventOf())
  await trail.record(eventOf({ stream: 'security', outcome: 'failure' }))
  const { entries, failures, published } = trail.figures()
  assert.deepEqual(entries, [
    { stream: 'audit', outcome: 'success', count: 2 },
    { stream: 'security', outcome: 'failure', count: 1 },
  ])
  assert.equal(failures, 0)
  assert.equal(published?.size, 3)
  await trail.close()
})
