/**
 * Events as JSON lines in a file that is put aside when it is large or old enough.
 *
 *   events.jsonl → events.jsonl.2026-11-28T20-00-00-000Z → … → removed beyond `keepFiles`
 *
 * A batch counts as taken when it is synced. What a failed write left behind is cut off, so that every line is whole.
 */
import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { OversightEvent } from '../../domain/oversight-event.ts'
import type { DeliveryOutcome, EventSink } from '../../ports/event-sink.ts'

export interface JsonlFileSinkOptions {
  readonly name: string
  readonly path: string
  readonly rotateBytes: number
  readonly rotateHours: number
  readonly keepFiles: number
  readonly now: () => number
  /** An event as one line without line break. */
  readonly writeLine: (event: OversightEvent) => string
}

interface OpenFile {
  readonly handle: FileHandle
  /** Bytes known to be whole lines. */
  size: number
  readonly since: number
}

const hourMs = 3_600_000
const newline = 0x0a

export function createJsonlFileSink(options: JsonlFileSinkOptions): EventSink {
  return new JsonlFileSink(options)
}

class JsonlFileSink implements EventSink {
  readonly name: string
  readonly #options: JsonlFileSinkOptions
  #file: OpenFile | null = null
  /** One batch at a time: lines of two must not mix. */
  #running: Promise<unknown> = Promise.resolve()

  constructor(options: JsonlFileSinkOptions) {
    this.name = options.name
    this.#options = options
  }

  deliver(batch: readonly OversightEvent[]): Promise<DeliveryOutcome> {
    const next = this.#running.then(() => this.#deliver(batch))
    this.#running = next
    return next
  }

  async #deliver(batch: readonly OversightEvent[]): Promise<DeliveryOutcome> {
    const { writeLine } = this.#options
    const bytes = Buffer.from(`${batch.map(writeLine).join('\n')}\n`)
    const taken = { retry: [], rejected: [], retryAfterMs: null, tooLarge: false, problem: '' }
    try {
      const file = await this.#fileFor(bytes.length)
      await file.handle.writeFile(bytes)
      await file.handle.datasync()
      file.size += bytes.length
      return taken
    } catch (error) {
      await this.#cutBack()
      return { ...taken, retry: [...batch.keys()], problem: `the file cannot be written (${codeOf(error)})` }
    }
  }

  async #fileFor(bytes: number): Promise<OpenFile> {
    const { path, rotateBytes, rotateHours, now } = this.#options
    let file = this.#file ?? (await openForAppend(path, now()))
    this.#file = file
    const isOld = now() - file.since >= rotateHours * hourMs
    if (file.size === 0 || (!isOld && file.size + bytes <= rotateBytes)) return file
    await file.handle.close()
    this.#file = null
    await rename(path, `${path}.${new Date(now()).toISOString().replace(/[:.]/g, '-')}`)
    await this.#removeOld()
    file = await openForAppend(path, now())
    this.#file = file
    return file
  }

  async #removeOld(): Promise<void> {
    const { path, keepFiles } = this.#options
    const prefix = `${basename(path)}.`
    const names = (await readdir(dirname(path))).filter((name) => isPutAside(name, prefix)).sort()
    for (const name of names.slice(0, Math.max(0, names.length - keepFiles)))
      await unlink(join(dirname(path), name))
  }

  async #cutBack(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.handle.truncate(file.size).catch(() => undefined)
    await file?.handle.close().catch(() => undefined)
  }

  async close(): Promise<void> {
    await this.#running
    await this.#file?.handle.close()
    this.#file = null
  }
}

function isPutAside(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && /^\d{4}-\d\d-\d\dT[\d-]{12}Z$/.test(name.slice(prefix.length))
}

/** A line that a crash tore is ended, so that it spoils no other; its event comes again. */
async function openForAppend(path: string, now: number): Promise<OpenFile> {
  const handle = await open(path, 'a+', 0o600)
  const { size, birthtimeMs } = await handle.stat()
  if (size === 0) return { handle, size, since: now }
  const last = Buffer.alloc(1)
  await handle.read(last, 0, 1, size - 1)
  if (last[0] === newline) return { handle, size, since: Math.min(birthtimeMs, now) }
  await handle.writeFile('\n')
  return { handle, size: size + 1, since: Math.min(birthtimeMs, now) }
}

function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'unknown'
}
