/**
 * The files below a directory: in a git working tree those that git knows or would add, else all but `.git` and
 * `node_modules`. Symbolic links are not followed. Memory: the list of names, and one chunk.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { ContentScan } from './content-scan.ts'
import { gitSafely } from './git-command.ts'
import { type Finding, maxFindings, type ScanFigures, type ScanTerms } from './scan-terms.ts'

const chunkBytes = 1_048_576
const maxListBytes = 256 * 1_048_576

export function scanWorkingTree(terms: ScanTerms, figures: ScanFigures): Finding[] {
  const findings: Finding[] = []
  const buffer = Buffer.allocUnsafe(chunkBytes)
  for (const path of listFiles(terms)) scanFile(path, { terms, figures, findings, buffer })
  return findings
}

interface Work {
  readonly terms: ScanTerms
  readonly figures: ScanFigures
  readonly findings: Finding[]
  readonly buffer: Buffer
}

function scanFile(path: string, { terms, figures, findings, buffer }: Work): void {
  let file: number
  try {
    // Never a device or a pipe that would wait, nor what a link leads to.
    file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch {
    figures.unreadable += 1
    return
  }
  try {
    const stats = fstatSync(file)
    if (!stats.isFile()) return
    if (stats.size > terms.maxBytes) {
      figures.tooLarge += 1
      return
    }
    figures.files += 1
    const { scansBinary } = terms
    let hasFound = false
    const search = new ContentScan(
      () => {
        hasFound = true
      },
      { scansBinary, countsLines: false },
    )
    const { bytes, isBinary } = readThrough({ file, buffer }, search)
    figures.bytes += bytes
    if (isBinary) figures.binary += 1
    if (!hasFound) return
    const shown = relative(terms.root, path) || path
    const place = new ContentScan(
      ({ at: _, text, ...seen }) => {
        if (findings.length >= maxFindings) return
        const fingerprint = createHash('sha256').update(text).digest('hex')
        findings.push({ ...seen, where: 'file', path: shown, fingerprint, occurrences: 1 })
      },
      { scansBinary, countsLines: true },
    )
    readThrough({ file, buffer }, place)
  } catch {
    figures.unreadable += 1
  } finally {
    closeSync(file)
  }
}

/** From the beginning of the file, up to where it shows to be binary. */
function readThrough(
  { file, buffer }: { readonly file: number; readonly buffer: Buffer },
  scan: ContentScan,
): { readonly bytes: number; readonly isBinary: boolean } {
  for (let bytes = 0; ; ) {
    const read = readSync(file, buffer, 0, buffer.length, bytes)
    bytes += read
    if (read > 0 && !scan.push(buffer.subarray(0, read))) return { bytes, isBinary: true }
    // Of a plain file less than was asked for comes at its end alone.
    if (read < buffer.length) return { bytes, isBinary: false }
  }
}

function listFiles(terms: ScanTerms): Iterable<string> {
  if (!lstatSync(terms.root).isDirectory()) return [terms.root]
  const known = terms.scansIgnored ? null : listByGit(terms)
  return known ?? walk(terms.root, terms.scansIgnored)
}

/** Null: it is no working tree of git, or git is not there. */
function listByGit({ root, environment }: ScanTerms): string[] | null {
  const command = gitSafely(['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', '.'])
  const { status, stdout } = spawnSync('git', command, {
    cwd: root,
    env: environment,
    maxBuffer: maxListBytes,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  if (status !== 0) return null
  const names = new Set(stdout.toString('utf8').split('\0'))
  names.delete('')
  return [...names].map((name) => join(root, name)).filter((path) => isThere(path))
}

/** A name of the index may be of a file that is deleted, or of a submodule. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true
}

function* walk(directory: string, scansIgnored: boolean): Generator<string> {
  const entries = readdirSync(directory, { withFileTypes: true })
  for (const entry of entries) {
    const path = join(directory, entry.name)
    if (entry.isFile()) yield path
    else if (entry.isDirectory() && entry.name !== '.git' && (scansIgnored || entry.name !== 'node_modules'))
      yield* walk(path, scansIgnored)
  }
}

/** Whether git keeps a history for the directory, or the directory that holds the file. */
export function findHistory({ root, environment }: ScanTerms): string | null {
  const directory = lstatSync(root).isDirectory() ? root : dirname(root)
  const { status } = spawnSync('git', gitSafely(['rev-parse', '--git-dir']), {
    cwd: directory,
    env: environment,
    stdio: 'ignore',
  })
  return status === 0 ? directory : null
}
