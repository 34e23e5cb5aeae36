/**
 * The ContentLog port over one event log for each day (UTC):
 *
 *   content/2026-11-23/events-…   written today
 *   content/2026-11-16/events-…   removed whole once its last record has reached the retention
 *
 * Days keep the retention exact without rewriting files. Nothing is created before the first record. Bounds: records
 * of `maxPendingBytes` wait to be sealed and written, more are refused; one read at a time.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContentRecord } from '../../domain/content.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { ContentLog } from '../../ports/content-log.ts'
import type { EventLog } from '../../ports/event-log.ts'
import type { SecretBox } from '../../ports/secret-box.ts'
import { openEventLog } from '../event-log/open-event-log.ts'
import { openRecord, readHeader, sealRecord } from './sealed-record.ts'

export interface SealedContentLogOptions {
  /** Created (0700) with the first record. */
  readonly directory: string
  readonly secretBox: SecretBox
  /** Asked for on every use: it may change with the configuration. */
  readonly retentionDays: () => number
  /** Unix milliseconds. */
  readonly now: () => number
}

const dayMs = 86_400_000
const maxPendingBytes = 67_108_864
const dayPattern = /^\d{4}-\d{2}-\d{2}$/

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

function sizeOf({ request, response }: ContentRecord): number {
  return request.kept.byteLength + response.kept.byteLength
}

class SealedContentLog implements ContentLog {
  readonly #options: SealedContentLogOptions
  #day = ''
  #log: EventLog | null = null
  #pendingBytes = 0
  /** Records that are being sealed, up to their place in the log. */
  readonly #sealing = new Set<Promise<void>>()
  /** Opening and closing of the log that is written, one after the other. */
  #writing: Promise<unknown> = Promise.resolve()
  /** Reads and removals, one after the other; records are stored meanwhile. */
  #reading: Promise<unknown> = Promise.resolve()

  constructor(options: SealedContentLogOptions) {
    this.#options = options
  }

  add(record: ContentRecord, done: (fault: Fault | null) => void): void {
    const size = sizeOf(record)
    if (this.#pendingBytes + size > maxPendingBytes) {
      return done(new Fault(faults.storageUnavailable, { internal: 'too much content waits for the disk' }))
    }
    this.#pendingBytes += size
    const finish = (fault: Fault | null): void => {
      this.#pendingBytes -= size
      done(fault)
    }
    const sealing = this.#append(record, finish).catch((cause: unknown) => {
      finish(new Fault(faults.storageUnavailable, { internal: 'content cannot be stored', cause }))
    })
    this.#sealing.add(sealing)
    void sealing.then(() => this.#sealing.delete(sealing))
  }

  async #append(record: ContentRecord, done: (fault: Fault | null) => void): Promise<void> {
    const sealed = await sealRecord(record, this.#options.secretBox)
    const log = await this.#today()
    log.append(sealed, done)
  }

  #today(): Promise<EventLog> {
    const opened = this.#writing.then(async () => {
      const day = dayOf(this.#options.now())
      if (this.#log !== null && this.#day === day) return this.#log
      await this.#log?.close()
      this.#log = null
      this.#log = await this.#open(day)
      this.#day = day
      return this.#log
    })
    this.#writing = opened.catch(() => undefined)
    return opened
  }

  #inReadingTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#reading.then(work)
    this.#reading = result.catch(() => undefined)
    return result
  }

  async #open(day: string): Promise<EventLog> {
    const { directory } = this.#options
    await mkdir(directory, { recursive: true, mode: 0o700 })
    return openEventLog({ directory: join(directory, day) })
  }

  read(organizationId: string, requestId: string): Promise<ContentRecord | null> {
    return this.#inReadingTurn(async () => {
      for (const day of (await this.#days()).reverse()) {
        const found = await this.#readDay(day, { organizationId, requestId })
        if (found !== null) return found
      }
      return null
    })
  }

  async #readDay(
    day: string,
    wanted: { readonly organizationId: string; readonly requestId: string },
  ): Promise<ContentRecord | null> {
    // A day that is written has one writer: it is read through the log that writes it.
    const current = day === dayOf(this.#options.now()) ? await this.#today() : this.#logOf(day)
    const log = current ?? (await this.#open(day))
    try {
      const oldest = this.#options.now() - this.#options.retentionDays() * dayMs
      for await (const { payload } of log.read(null)) {
        const header = readHeader(payload)
        if (header?.id !== wanted.requestId || header.organizationId !== wanted.organizationId) continue
        return header.time < oldest ? null : await openRecord(Buffer.from(payload), this.#options.secretBox)
      }
      return null
    } finally {
      if (current === null) await log.close()
    }
  }

  #logOf(day: string): EventLog | null {
    return day === this.#day ? this.#log : null
  }

  /** In order; none where there is no directory. */
  async #days(): Promise<string[]> {
    try {
      const names = await readdir(this.#options.directory)
      return names.filter((name) => dayPattern.test(name)).sort()
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return []
      throw error
    }
  }

  prune(): Promise<number> {
    return this.#inReadingTurn(async () => {
      // The last record of a day is as old as the retention when the day after it is.
      const firstKept = dayOf(this.#options.now() - this.#options.retentionDays() * dayMs)
      const over = (await this.#days()).filter((day) => day < firstKept && day !== this.#day)
      for (const day of over) await rm(join(this.#options.directory, day), { recursive: true, force: true })
      return over.length
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#sealing)
    await this.#reading
    await this.#writing
    await this.#log?.close()
    this.#log = null
    this.#day = ''
  }
}

export function openSealedContentLog(options: SealedContentLogOptions): ContentLog {
  return new SealedContentLog(options)
}
