/**
 * `gatewright audit`: checks what the audit log holds, on its files alone, wherever they have been copied to. Only
 * `erase` speaks with a gateway.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import {
  checkGrowth,
  checkProof,
  formatVerifierKey,
  guardFile,
  isConsistencyProof,
  type KeptCheckpoint,
  LogDamage,
  NoteError,
  parseVerifierKey,
  proveEntry,
  proveGrowth,
  readEntries,
  readKeptCheckpoints,
  type VerifierKey,
  verifierKeysFile,
  verifyLog,
} from '../../audit/index.ts'
import { type Subject, subjectKinds } from '../../domain/audit-subject.ts'
import { CliFailure } from '../cli-failure.ts'
import { dataDirectoryOf } from '../connection.ts'
import { argument, collect, defineCommand, defineGroup, runs } from '../define-command.ts'
import { printable } from '../printable.ts'
import { type CliIo, take } from '../session.ts'
import { formatFields } from '../table.ts'

interface LogOptions {
  readonly dataDir?: string
  readonly dir?: string
  readonly vkey?: readonly string[]
}

/** Where a log is, and whose signatures count. */
interface LogPlace {
  readonly directory: string
  readonly keys: readonly VerifierKey[]
  /** Keys, guard and sealed keys of subjects; null: a copy, of which only the log itself is here. */
  readonly keyDirectory: string | null
}

function withLog(command: Command): Command {
  return withKeys(command).option(
    '--dir <directory>',
    'the log, a copy of it too (default: audit in the data directory)',
  )
}

function withKeys(command: Command): Command {
  return command.option(
    '--vkey <key>',
    'verifier key that must have signed; may be repeated (default: those of the data directory)',
    collect,
  )
}

async function readKeys(
  given: readonly string[] | undefined,
  keyDirectory: string,
): Promise<readonly VerifierKey[]> {
  if (given !== undefined) return given.map(parseVerifierKey)
  const file = join(keyDirectory, verifierKeysFile)
  const text = await readFile(file, 'utf8').catch(() => {
    throw new CliFailure(
      'usage',
      `${file} cannot be read.`,
      'Name the keys with --vkey, or the data directory with --data-dir.',
    )
  })
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseVerifierKey)
}

async function placeOf(options: LogOptions, io: CliIo): Promise<LogPlace> {
  const dataDir = dataDirectoryOf(options, io)
  const keyDirectory = join(dataDir, 'audit-keys')
  const keys = await readKeys(options.vkey, keyDirectory)
  if (options.dir !== undefined)
    return { directory: resolve(io.directory, options.dir), keys, keyDirectory: null }
  return { directory: join(dataDir, 'audit'), keys, keyDirectory }
}

/** What a log, a key or a proof is not is said in a sentence. */
async function saying<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof NoteError) throw new CliFailure('failed', error.message)
    if (error instanceof LogDamage)
      throw new CliFailure('failed', `The audit log is damaged: ${error.message}.`)
    throw error
  }
}

// The files are read by this command alone.
const loadReader = () => import('../../compose/read-audit.ts')

interface KeptOptions extends LogOptions {
  readonly checkpoint?: readonly string[]
}

function withKept(command: Command, what: string): Command {
  return command.option(
    '--checkpoint <file>',
    `checkpoint that was kept elsewhere, or any text with checkpoint events in it (JSON lines, syslog …); ${what}; may be repeated`,
    collect,
  )
}

function readNamed(name: string, io: CliIo): Promise<Buffer> {
  return readFile(resolve(io.directory, name)).catch(() => {
    throw new CliFailure('usage', `${name} cannot be read.`)
  })
}

async function readKept({ checkpoint = [] }: KeptOptions, keys: readonly VerifierKey[], io: CliIo) {
  const kept: KeptCheckpoint[] = []
  for (const name of checkpoint)
    kept.push(...readKeptCheckpoints({ name, bytes: await readNamed(name, io) }, keys))
  return kept
}

async function verify(options: KeptOptions, io: CliIo) {
  const { readDurableFiles } = await loadReader()
  const { directory, keys, keyDirectory } = await placeOf(options, io)
  const guard = keyDirectory === null ? null : await readDurableFiles(keyDirectory).read(guardFile)
  const kept = await readKept(options, keys, io)
  const earlier = guard === null ? kept : [...kept, { name: guardFile, note: guard }]
  const { checkpoint, problems } = await verifyLog({ files: readDurableFiles(directory), keys, earlier })
  return {
    directory,
    origin: checkpoint?.origin ?? null,
    size: checkpoint?.size ?? null,
    root: checkpoint?.root.toString('base64') ?? null,
    heldAgainst: earlier.map(({ name }) => name),
    problems,
  }
}

function addVerify(group: Command, io: CliIo): void {
  const command = withLog(
    defineCommand(group, {
      name: 'verify',
      summary: 'Check the whole audit log: every entry, every tile, the checkpoint and its signatures',
      examples: [
        ['gatewright audit verify', 'On the machine of the gateway, also while it runs'],
        [
          'gatewright audit verify --dir ./copy --vkey "$KEY" --checkpoint kept.jsonl',
          'A copy, with a key and checkpoints that were kept elsewhere',
        ],
      ],
    }),
  )
  withKept(command, 'the log must have grown from each')
  runs<KeptOptions>(command, io, async ({ session }) => {
    const verdict = await saying(() => verify(command.optsWithGlobals<KeptOptions>(), io))
    const { problems, origin, size, root, heldAgainst } = verdict
    session.show(verdict, () =>
      problems.length > 0
        ? `${printable(problems.join('\n'))}\n`
        : `The audit log is whole: ${size} entries of ${origin}, root ${root}. It grew from ${heldAgainst.length} kept checkpoints.\n`,
    )
    if (problems.length > 0) throw new CliFailure('failed', 'The audit log is not what was published.')
  })
}

interface ProveOptions extends LogOptions {
  readonly from?: number
  readonly to?: number
  readonly out?: string
}

function entryCount(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new CliFailure('usage', 'A size is a number of entries.')
  return Number(text)
}

/** The proof that was asked for, and what it is called; @throws CliFailure where there is nothing to prove */
async function prove(id: string | undefined, options: ProveOptions, io: CliIo) {
  const { from, to = null } = options
  if ((id === undefined) === (from === undefined) || (from === undefined && to !== null))
    throw new CliFailure('usage', 'Name an entry, or with --from the size of the log that it grew from.')
  const { readDurableFiles } = await loadReader()
  const { directory, keys } = await placeOf(options, io)
  const log = { files: readDurableFiles(directory), keys }
  if (from !== undefined) {
    const proof = await proveGrowth({ from, to }, log)
    if (proof === null) throw new CliFailure('failed', 'The log has not that many entries.')
    return { proof, name: `${from}-${to ?? 'now'}.consistency-proof` }
  }
  const proof = await proveEntry(id ?? '', log)
  if (proof === null) throw new CliFailure('failed', `There is no entry ${printable(id ?? '')}.`)
  return { proof, name: `${id?.replace(/[^\w.-]/g, '_')}.tlog-proof` }
}

function addProve(group: Command, io: CliIo): void {
  const command = withLog(
    defineCommand(group, {
      name: 'prove [id]',
      summary: 'Write a proof that an entry is in the audit log, or that the log grew from what it was',
      examples: [
        ['gatewright audit prove 0', 'Writes 0.tlog-proof: the entry, the way to the root, the checkpoint'],
        [
          'gatewright audit prove req_heey297o2e8q000001 --out proof.txt',
          'What one request to the admin API did',
        ],
        ['gatewright audit prove --from 120', 'That its first 120 entries are what they were'],
      ],
    }),
  )
    .option('--from <size>', 'number of entries from which the log is shown to have grown', entryCount)
    .option(
      '--to <size>',
      'number of entries to which it had grown (default: those of its checkpoint)',
      entryCount,
    )
    .option('--out <file>', 'file to write (default: <id>.tlog-proof, <from>-<to>.consistency-proof)')
  runs<ProveOptions>(command, io, async ({ session, args }) => {
    const options = command.optsWithGlobals<ProveOptions>()
    const { proof, name } = await saying(() => prove(args[0], options, io))
    const file = options.out ?? name
    await writeFile(resolve(io.directory, file), proof)
    session.show({ file }, () => `${file} proves it: gatewright audit check ${file}\n`)
  })
}

async function check(name: string, options: KeptOptions, io: CliIo) {
  const text = (await readNamed(name, io)).toString('utf8')
  const { keys } = await placeOf(options, io)
  if (isConsistencyProof(text)) {
    const checked = checkGrowth(text, keys, await readKept(options, keys, io))
    const { from, to, fromRoot, isFromSigned } = checked
    const held = isFromSigned
      ? 'as a signed checkpoint says'
      : 'which no checkpoint says: compare it with yours, or name that with --checkpoint'
    return {
      checked,
      said: `The log of ${to} entries grew from the ${from} with the root ${fromRoot}, ${held}.\n`,
    }
  }
  const checked = checkProof(text, keys)
  const { index, size, origin, entry } = checked
  return { checked, said: `Entry ${index} of the ${size} in ${printable(origin)}:\n${printable(entry)}\n` }
}

function addCheck(group: Command, io: CliIo): void {
  const command = withKeys(
    defineCommand(group, {
      name: 'check <file>',
      summary: 'Check a proof and show what it proves; needs nothing but the file and the verifier keys',
      examples: [
        ['gatewright audit check 0.tlog-proof', 'Exit code 0: the entry was in the log'],
        [
          'gatewright audit check 120-now.consistency-proof --checkpoint kept',
          'Exit code 0: the log grew from that checkpoint',
        ],
      ],
    }),
  )
  withKept(command, 'a consistency proof must have its root')
  runs<KeptOptions>(command, io, async ({ session, args }) => {
    const options = command.optsWithGlobals<KeptOptions>()
    const { checked, said } = await saying(() => check(argument(args, 0), options, io))
    session.show(checked, () => said)
  })
}

interface ExportOptions extends LogOptions {
  readonly reveal?: boolean
  readonly rootKey?: string
}

async function openPersonal(options: ExportOptions, io: CliIo) {
  if (options.reveal !== true) return null
  const dataDir = dataDirectoryOf(options, io)
  const rootKeyFile = resolve(io.directory, options.rootKey ?? join(dataDir, 'root.key'))
  const { readPersonal } = await loadReader()
  const read = await readPersonal(join(dataDir, 'audit-keys'), rootKeyFile)
  if (read === null)
    throw new CliFailure(
      'failed',
      `${rootKeyFile} is not there.`,
      'Personal fields open with the root key alone.',
    )
  return read
}

interface ExportedEntry {
  readonly id?: string
  readonly personal?: readonly { readonly subject: string; readonly sealed: string }[]
}

function addExport(group: Command, io: CliIo): void {
  const command = withLog(
    defineCommand(group, {
      name: 'export',
      summary: 'Write all entries as JSON lines',
      examples: [
        ['gatewright audit export > audit.jsonl', 'Personal fields stay sealed'],
        ['gatewright audit export --reveal', 'Opened with the root key; those of erased subjects are null'],
      ],
    }),
  )
    .option('--reveal', 'open personal fields; needs the root key')
    .option('--root-key <file>', 'root key file (default: root.key in the data directory)')
  runs<ExportOptions>(command, io, async () => {
    const options = command.optsWithGlobals<ExportOptions>()
    const { readDurableFiles } = await loadReader()
    await saying(async () => {
      const { directory, keys } = await placeOf(options, io)
      const read = await openPersonal(options, io)
      for await (const { index, entry } of readEntries({ files: readDurableFiles(directory), keys })) {
        const parsed = JSON.parse(entry.toString('utf8')) as ExportedEntry
        const { id = '', personal = [] } = parsed
        const revealed = personal.map((fields) => JSON.parse(read?.(fields, id) ?? 'null') as unknown)
        io.out(`${JSON.stringify({ index, ...parsed, ...(read === null ? {} : { revealed }) })}\n`)
      }
    })
  })
}

function addKeys(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'keys',
    summary: 'Show the verifier keys of the audit log, to be kept where the gateway cannot change them',
    examples: [['gatewright audit keys > audit-keys.txt', 'One key a line; each goes into --vkey']],
  })
  runs<LogOptions>(command, io, async ({ session }) => {
    const keyDirectory = join(dataDirectoryOf(command.optsWithGlobals<LogOptions>(), io), 'audit-keys')
    const keys = (await saying(() => readKeys(undefined, keyDirectory))).map(formatVerifierKey)
    session.show({ keys }, () => `${keys.join('\n')}\n`)
  })
}

interface EraseOptions {
  readonly org?: string
}

const isKind = (text: string): text is Subject['kind'] => subjectKinds.some((kind) => kind === text)

function addErase(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'erase <kind> <id>',
    summary: 'Make what the audit log of this node holds of a person unreadable, for ever; proofs stay valid',
    examples: [
      ['gatewright audit erase end-user ada --org acme', 'An end user, as callers name them'],
      ['gatewright audit erase address 203.0.113.7', 'An address of which nothing else is known'],
    ],
  })
  runs<EraseOptions>(command, io, async ({ session, args }) => {
    const kind = argument(args, 0)
    if (!isKind(kind)) throw new CliFailure('usage', `A subject is of kind ${subjectKinds.join(', ')}.`)
    const organization = kind === 'end-user' ? { organization: await session.organization() } : {}
    const body = { kind, id: argument(args, 1), ...organization }
    const done = await take(session.client.POST('/api/v1/audit/subjects/erase', { body }))
    session.show(done, ({ erased }) =>
      formatFields([['Erased', erased ? 'yes' : 'there is nothing of this subject on this node']]),
    )
  })
}

export function addAudit(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'audit', 'The audit log: what was done, provably')
  addVerify(group, io)
  addProve(group, io)
  addCheck(group, io)
  addExport(group, io)
  addKeys(group, io)
  addErase(group, io)
}
