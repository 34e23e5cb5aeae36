/**
 * Whether `gatewright audit verify` finds whatever is done to an audit log: bytes of every class changed one at a time,
 * entries removed, moved, cut off and added, files too, and the log written anew by who holds its keys. And whether an
 * erased subject can be read by nobody, while every proof still holds.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openDurableFiles } from '../../src/adapters/durable-files/open-durable-files.ts'
import { openFileSecretBox } from '../../src/adapters/file-secret-box/open-file-secret-box.ts'
import { openSigningKeys, openTileLog } from '../../src/audit/index.ts'
import { runCli } from '../../src/cli/create-program.ts'
import { openAuditDesk } from '../../src/compose/audit-desk.ts'
import type { OversightEvent } from '../../src/domain/oversight-event.ts'
import { byteClasses, type Change, structuralChanges } from './audit-changes.ts'
import type { ProofOptions, ProofRow } from './slice.ts'

const people = 20
const entryCount = 600
const personOf = (number: number): string => `person-${number % people}@example.org`
const addressOf = (number: number): string => `203.0.113.${number % people}`

interface World {
  readonly data: string
  readonly run: (...args: readonly string[]) => Promise<{ readonly code: number; readonly out: string }>
}

function worldAt(data: string): World {
  return {
    data,
    async run(...args) {
      let out = ''
      const take = (text: string): void => {
        out += text
      }
      const io = { environment: {}, directory: data, out: take, err: take, readInput: async () => '' }
      const code = await runCli([...args, '--data-dir', data], { ...io, now: Date.now })
      return { code, out }
    },
  }
}

function openDesk(data: string) {
  return openAuditDesk({
    directory: { auditDirectory: join(data, 'audit'), auditKeyDirectory: join(data, 'audit-keys') },
    secretBox: openFileSecretBox({ path: join(data, 'root.key') }),
    now: Date.now,
    deliver: () => Promise.resolve(null),
    log: ({ text }) => {
      throw new Error(text)
    },
  })
}

function eventOf(number: number): OversightEvent {
  return {
    id: `req_${number}`,
    time: Date.UTC(2026, 0, 1) + number * 1000,
    stream: 'audit',
    action: 'key.update',
    outcome: 'success',
    severity: 'info',
    reason: '',
    organizationId: 'org_1',
    actor: {
      kind: 'key',
      id: 'key_1',
      applicationId: '',
      address: addressOf(number),
      endUser: personOf(number),
    },
    resource: { kind: 'key', id: `key_${number}` },
    exchange: null,
  }
}

/** A log with full and partial tiles of several levels and sizes; in `half` is what it was half way. */
async function makeLog(data: string): Promise<void> {
  const desk = openDesk(data)
  const record = (from: number, to: number) =>
    Promise.all(Array.from({ length: to - from }, (_, at) => desk.trail.record(eventOf(from + at))))
  await record(0, 200)
  await record(200, entryCount / 2)
  for (const name of ['audit', 'audit-keys'])
    cpSync(join(data, name), join(data, 'half', name), { recursive: true })
  await record(entryCount / 2, entryCount - 7)
  await record(entryCount - 7, entryCount)
  await desk.close()
}

/** Checkpoints as a sink has them. */
function writeExport(data: string, checkpoints: readonly string[]): void {
  const lines = checkpoints.map((path) =>
    JSON.stringify({
      action: 'audit.checkpoint',
      checkpoint: readFileSync(join(data, path)).toString('base64'),
    }),
  )
  writeFileSync(join(data, 'exported.jsonl'), `${lines.join('\n')}\n`)
}

function foundRow(what: string, tried: number, found: number): ProofRow {
  const claim = `found: ${what}`
  return {
    claim,
    target: `${tried} of ${tried}`,
    measured: `${found} of ${tried}`,
    unit: '',
    ok: tried > 0 && found === tried,
  }
}

const yes = (claim: string, ok: boolean): ProofRow => ({
  claim,
  target: 'yes',
  measured: ok ? 'yes' : 'no',
  unit: '',
  ok,
})

/** How many of the changes `verify` finds, each by itself on the log as it was. */
async function countFound({ data, run }: World, changes: Iterable<Change>) {
  let tried = 0
  let found = 0
  for (const { path, bytes } of changes) {
    const file = join(data, path)
    const isNew = !existsSync(file)
    const whole = isNew ? null : readFileSync(file)
    if (isNew) mkdirSync(dirname(file), { recursive: true })
    if (bytes === null) rmSync(file)
    else writeFileSync(file, bytes)
    tried += 1
    if ((await run('audit', 'verify')).code === 1) found += 1
    if (whole === null) rmSync(file)
    else writeFileSync(file, whole)
  }
  return { tried, found }
}

async function proveTampering(world: World, perClass: number): Promise<ProofRow[]> {
  const rows: ProofRow[] = []
  for (const { name, changes } of byteClasses(world.data, perClass)) {
    const { tried, found } = await countFound(world, changes)
    rows.push(foundRow(`a bit changed in ${name}`, tried, found))
  }
  for (const { name, changes } of structuralChanges(world.data, perClass)) {
    const { tried, found } = await countFound(world, changes)
    rows.push(foundRow(name, tried, found))
  }
  rows.push(
    yes('after all of it the log verifies as before', (await world.run('audit', 'verify')).code === 0),
  )
  return rows
}

/** Sealed keys are read with the root key alone: what is changed there is found when the log is opened. */
async function proveKeyFiles({ data }: World, perClass: number): Promise<ProofRow> {
  const file = join(data, 'audit-keys', 'signing-keys')
  const whole = readFileSync(file)
  const step = Math.max(1, Math.floor(whole.length / perClass))
  let tried = 0
  let found = 0
  for (let at = 0; at < whole.length; at += step) {
    const bytes = Buffer.from(whole)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(file, bytes)
    tried += 1
    const files = await openDurableFiles(join(data, 'audit-keys'))
    const secretBox = openFileSecretBox({ path: join(data, 'root.key') })
    const opened = await openSigningKeys({ files, secretBox, newOrigin: () => 'other' }).catch(() => null)
    if (opened === null) found += 1
  }
  writeFileSync(file, whole)
  return foundRow('a bit changed in the sealed signing keys, when the log is opened', tried, found)
}

/** Somebody with the root key writes another log in the place of this one, and signs it. */
async function proveRewriting({ data, run }: World): Promise<ProofRow[]> {
  const files = await openDurableFiles(join(data, 'audit-keys'))
  const secretBox = openFileSecretBox({ path: join(data, 'root.key') })
  const signer = await openSigningKeys({ files, secretBox, newOrigin: () => '' })
  rmSync(join(data, 'audit'), { recursive: true })
  rmSync(join(data, 'audit-keys', 'last-checkpoint'))
  const log = await openTileLog({
    files: await openDurableFiles(join(data, 'audit')),
    guard: files,
    signer,
    now: Date.now,
    paceMs: 0,
  })
  await Promise.all(
    Array.from({ length: entryCount + 50 }, (_, at) =>
      log.append(Buffer.from(JSON.stringify({ id: `forged_${at}` }))),
    ),
  )
  await log.close()
  writeExport(data, ['half/audit/checkpoint'])
  const anchored = await run('audit', 'verify', '--checkpoint', 'exported.jsonl')
  const alone = (await run('audit', 'verify')).code
  return [
    {
      claim: 'a log written anew with its own keys, verified by itself alone',
      target: '',
      measured: alone === 0 ? 'not found' : 'found',
      unit: '',
      ok: null,
    },
    foundRow('the same against one checkpoint event from a sink', 1, anchored.code === 1 ? 1 : 0),
  ]
}

/** An older state of the log in the place of the newest. */
async function proveCuttingBack({ data, run }: World): Promise<ProofRow[]> {
  const whole = join(data, 'whole')
  writeExport(data, ['audit/checkpoint'])
  for (const name of ['audit', 'audit-keys']) cpSync(join(data, name), join(whole, name), { recursive: true })
  const putBack = (from: string, name: string): void => {
    rmSync(join(data, name), { recursive: true })
    cpSync(join(from, name), join(data, name), { recursive: true })
  }
  putBack(join(data, 'half'), 'audit')
  const byGuard = (await run('audit', 'verify')).code
  putBack(join(data, 'half'), 'audit-keys')
  const bySink = (await run('audit', 'verify', '--checkpoint', 'exported.jsonl')).code
  for (const name of ['audit', 'audit-keys']) putBack(whole, name)
  // Backups of keys are where an erasure has to go, too.
  for (const copy of [whole, join(data, 'half', 'audit-keys')]) rmSync(copy, { recursive: true })
  return [
    foundRow('the log as it was half way, by the guard', 1, byGuard),
    foundRow('the same with the guard of then, by a checkpoint event from a sink', 1, bySink),
  ]
}

/** Every file below, with its name. */
function wholeDisk(root: string): readonly Buffer[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8', withFileTypes: true }).map((entry) =>
    Buffer.concat([
      Buffer.from(entry.name),
      entry.isFile() ? readFileSync(join(entry.parentPath, entry.name)) : Buffer.alloc(0),
    ]),
  )
}

function timesOnDisk(root: string, texts: readonly (string | Buffer)[]): number {
  const disk = wholeDisk(root)
  return texts.filter((text) => disk.some((bytes) => bytes.includes(text))).length
}

/** A text as it is, and as it would stand in what encodes it. */
const spellings = (text: string): readonly string[] => [
  text,
  Buffer.from(text).toString('hex'),
  ...['', ' ', '  '].map((before) =>
    Buffer.from(before + text)
      .toString('base64')
      .slice(4, -4),
  ),
]

async function readable({ run }: World): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for (const line of (await run('audit', 'export', '--reveal')).out.trim().split('\n')) {
    const { revealed } = JSON.parse(line) as { revealed?: readonly ({ endUser?: string } | null)[] }
    for (const fields of revealed ?? []) {
      const name = fields?.endUser ?? 'unreadable'
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  return counts
}

async function proveErasure(world: World): Promise<ProofRow[]> {
  const { data, run } = world
  const [erased, other] = [personOf(3), personOf(4)]
  const proofs = Array.from({ length: 40 }, (_, at) => `req_${at * 15}`)
  for (const id of proofs) await run('audit', 'prove', id)
  await run('audit', 'prove', '--from', '1', '--out', 'growth')
  const before = await readable(world)
  const keyDirectory = join(data, 'audit-keys', 'subjects')
  const keysBefore = new Set(wholeDisk(keyDirectory).map(String))
  const desk = openDesk(data)
  const wasThere = await desk.trail.erase({ kind: 'end-user', organizationId: 'org_1', id: erased })
  await desk.close()
  const keysAfter = new Set(wholeDisk(keyDirectory).map(String))
  const gone = [...keysBefore].filter((key) => !keysAfter.has(key)).map((key) => key.slice(62))
  const after = await readable(world)
  let held = 0
  for (const id of proofs)
    if ((await run('audit', 'check', join(data, `${id}.tlog-proof`))).code === 0) held += 1
  const clear = [erased, addressOf(3)].flatMap(spellings)
  return [
    yes(
      'an erased subject was readable before, with the root key',
      before.get(erased) === entryCount / people,
    ),
    yes('and in no entry after', wasThere && after.get(erased) === undefined),
    yes('all others are', after.get(other) === before.get(other) && after.size === people),
    {
      claim: 'its name or address on the whole disk, in any spelling',
      target: '0',
      measured: timesOnDisk(data, clear),
      unit: '',
      ok: timesOnDisk(data, clear) === 0,
    },
    yes(
      'its key is on the disk no more',
      gone.length >= 1 &&
        timesOnDisk(
          data,
          gone.filter((key) => key.length > 20),
        ) === 0,
    ),
    { ...foundRow('', proofs.length, held), claim: 'proofs of entries from before the erasure that hold' },
    yes(
      'the consistency proof from before holds',
      (await run('audit', 'check', join(data, 'growth'))).code === 0,
    ),
    yes('the log verifies', (await run('audit', 'verify')).code === 0),
  ]
}

export async function proveAudit({ quick, say }: ProofOptions): Promise<readonly ProofRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-audit-proof-'))
  const perClass = quick ? 40 : 1000
  try {
    const data = join(directory, 'data')
    mkdirSync(data, { mode: 0o700 })
    await makeLog(data)
    const world = worldAt(data)
    say(`  changing ${entryCount} entries, up to ${perClass} bytes of each class`)
    return [
      ...(await proveTampering(world, perClass)),
      await proveKeyFiles(world, perClass),
      ...(await proveCuttingBack(world)),
      ...(await proveErasure(world)),
      ...(await proveRewriting(world)),
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
