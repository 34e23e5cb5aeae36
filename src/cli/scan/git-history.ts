/**
 * All that a git repository holds: each version of each file, each commit message and tag, also what no branch has any
 * more but git still keeps. Two processes of git, one naming the objects and one writing them out:
 *
 *   cat-file --batch-check ─names, without trees and what is too large─▶ cat-file --batch ─contents─▶ scan
 *
 * Memory: a chunk of each pipe, and the distinct secrets that were found. Of each secret the first place is told, with
 * the commit that has it; the others are counted.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ContentScan, type Sighting } from './content-scan.ts'
import { gitSafely } from './git-command.ts'
import { type Finding, maxFindings, type ScanFigures, type ScanTerms } from './scan-terms.ts'

const newline = 0x0a
const headerForm = /^([0-9a-f]{40,64}) (commit|tag|blob|tree) ([0-9]{1,15})$/

interface HistoryFinding extends Pick<Sighting, 'kind' | 'publicText'> {
  readonly object: string
  readonly type: string
  readonly fingerprint: string
  occurrences: number
}

/** @throws Error where git fails */
export async function scanHistory(
  directory: string,
  terms: ScanTerms,
  figures: ScanFigures,
): Promise<Finding[]> {
  const found = new Map<string, HistoryFinding>()
  const start = (args: readonly string[]): ChildProcess =>
    spawn('git', gitSafely(args), {
      cwd: directory,
      env: { ...terms.environment },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
  const names = start(['cat-file', '--batch-check', '--batch-all-objects', '--unordered', '--buffer'])
  const contents = start(['cat-file', '--batch', '--buffer'])
  const ended = Promise.all([names, contents].map(exitOf))
  if (names.stdout === null || contents.stdin === null || contents.stdout === null)
    throw new Error('git has no pipes')
  names.stdin?.end()
  const reader = new ObjectReader(found, terms, figures)
  await Promise.all([
    pipeline(names.stdout, wantedObjects(terms, figures), contents.stdin),
    pipeline(contents.stdout, reader.sink()),
    ended,
  ])
  return [...found.values()].map((each) => locate(each, directory, terms))
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`git ended with ${code}`))))
  })
}

/** Lines `<object> <type> <size>` → names of those to scan. */
function wantedObjects({ maxBytes }: ScanTerms, figures: ScanFigures): Transform {
  let rest = ''
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString('latin1')).split('\n')
      rest = lines.pop() ?? ''
      let names = ''
      for (const line of lines) {
        const [, name = '', type = '', size = ''] = headerForm.exec(line) ?? []
        if (name === '' || type === 'tree') continue
        if (Number(size) > maxBytes) figures.tooLarge += 1
        else names += `${name}\n`
      }
      done(null, names)
    },
  })
}

/** Reads `<object> <type> <size>\n<content>\n`, over and over. */
class ObjectReader {
  readonly #found: Map<string, HistoryFinding>
  readonly #terms: ScanTerms
  readonly #figures: ScanFigures
  #header = Buffer.alloc(0)
  /** Bytes of the content that are to come, with the line end behind it; 0: a header comes next. */
  #left = 0
  #scan: ContentScan | null = null

  constructor(found: Map<string, HistoryFinding>, terms: ScanTerms, figures: ScanFigures) {
    this.#found = found
    this.#terms = terms
    this.#figures = figures
  }

  sink(): (source: AsyncIterable<Buffer>) => Promise<void> {
    return async (source) => {
      for await (const chunk of source) this.#read(chunk)
      if (this.#left > 0 || this.#header.length > 0) throw new Error('git broke off')
    }
  }

  #read(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length)
      at = this.#left === 0 ? this.#readHeader(chunk, at) : this.#readContent(chunk, at)
  }

  #readHeader(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(newline, at)
    this.#header = Buffer.concat([this.#header, chunk.subarray(at, end === -1 ? chunk.length : end)])
    if (end === -1) return chunk.length
    const [, object = '', type = '', size = ''] = headerForm.exec(this.#header.toString('latin1')) ?? []
    // An object that went away meanwhile is `<object> missing`: nothing follows.
    this.#header = Buffer.alloc(0)
    if (object === '') return end + 1
    this.#left = Number(size) + 1
    this.#figures.objects += 1
    this.#figures.bytes += Number(size)
    const terms = { scansBinary: this.#terms.scansBinary, countsLines: false }
    this.#scan = new ContentScan((sighting) => this.#note(sighting, object, type), terms)
    return end + 1
  }

  #readContent(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left)
    this.#left -= end - at
    // The last byte is the line end behind the content, which belongs to no token.
    if (this.#scan !== null && !this.#scan.push(chunk.subarray(at, end))) {
      this.#scan = null
      this.#figures.binary += 1
    }
    return end
  }

  #note({ text, kind, publicText }: Sighting, object: string, type: string): void {
    const fingerprint = fingerprintOf(text)
    const known = this.#found.get(fingerprint)
    if (known !== undefined) known.occurrences += 1
    else if (this.#found.size < maxFindings)
      this.#found.set(fingerprint, { kind, publicText, object, type, fingerprint, occurrences: 1 })
  }
}

function fingerprintOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** What git answers; empty where it fails. */
function ask(args: readonly string[], directory: string, { environment, maxBytes }: ScanTerms): Buffer {
  const { status, stdout } = spawnSync('git', gitSafely(args), {
    cwd: directory,
    env: environment,
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: maxBytes + 65_536,
  })
  return status === 0 ? stdout : Buffer.alloc(0)
}

/** Line and column within the object, and which commit brought it under which name. */
function locate({ type, ...finding }: HistoryFinding, directory: string, terms: ScanTerms): Finding {
  let place = { line: 1, column: 1 }
  const scan = new ContentScan(
    ({ text, line, column }) => {
      if (fingerprintOf(text) === finding.fingerprint) place = { line, column }
    },
    { scansBinary: true, countsLines: true },
  )
  scan.push(ask(['cat-file', type, finding.object], directory, terms))
  const seen = { ...finding, ...place, where: 'history' } as const
  if (type !== 'blob') return { ...seen, path: '', commit: finding.object }
  const log = ['log', '--all', '-z', '--format=%H', '--name-only', '-m', '--max-count=2']
  const words = ask([...log, '--find-object', finding.object], directory, terms)
    .toString('utf8')
    .split(/[\0\n]/)
  const shown = words.filter((word) => word !== '')
  // The oldest of the two that have it is the one that brought it, or a later one that still names its file.
  const commit = shown.findLast((word) => /^[0-9a-f]{40,64}$/.test(word)) ?? ''
  const path = shown[shown.lastIndexOf(commit) + 1] ?? ''
  return { ...seen, path, ...(commit === '' ? {} : { commit }) }
}
