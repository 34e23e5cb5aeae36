/**
 * How a new configuration comes into force: one reload after the other, all or nothing. What is
 * read at the start only (`config/readings.ts`) stays as it was started, and is named when it differs.
 *
 *   load ─▶ apply to the store ─▶ in force here ─▶ publish ─▶ tell the supervisor, for a control plane that replaces this
 *     └─────────┴── refused: the one before stays ───┴── refused: the one before comes back
 */
import { isDeepStrictEqual } from 'node:util'
import {
  type Config,
  ConfigError,
  changedStartSettings,
  keepStartSettings,
  type LoadedConfig,
} from '../config/index.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { Log } from '../supervisor/log.ts'
import { describeRefusal } from './describe-refusal.ts'

/** What this thread works with. */
export interface InForce {
  loaded: LoadedConfig
  /** When `loaded` came, Unix milliseconds, and whether a newer one was refused. */
  reload: { readonly at: number; readonly isRefused: boolean }
}

export interface ReloaderParts {
  readonly inForce: InForce
  /** Reads file and environment anew. @throws ConfigError */
  readonly load: () => Promise<LoadedConfig>
  /** Brings the store to it. A ConfigError says that it changed nothing. */
  readonly apply: (loaded: LoadedConfig) => Promise<unknown>
  /** Before anything is changed. @throws where it may not be */
  readonly begins: () => Promise<void>
  /** What came of it: the code of the fault, or empty. */
  readonly ended: (reason: string) => Promise<void>
  /** Builds and sends a snapshot of the store and of what is in force. */
  readonly publish: () => Promise<void>
  /** A new configuration is in force everywhere. */
  readonly settled: (config: Config) => void
  readonly log: Log
}

export interface Reloader {
  /** Load and apply; what comes of it goes to the log. Never rejects. */
  reload(): Promise<void>
  /** The same, where the file says something else than what is in force. */
  catchUp(): Promise<void>
}

class SerialReloader implements Reloader {
  readonly #parts: ReloaderParts
  /** Signals and changes of the file come at any time, also while one is being applied. */
  #running: Promise<void> = Promise.resolve()

  constructor(parts: ReloaderParts) {
    this.#parts = parts
  }

  reload(): Promise<void> {
    return this.#next(() => true)
  }

  catchUp(): Promise<void> {
    return this.#next((config) => !isDeepStrictEqual(config, this.#parts.inForce.loaded.config))
  }

  #next(isWanted: (config: Config) => boolean): Promise<void> {
    this.#running = this.#running.then(() => this.#change(isWanted))
    return this.#running
  }

  async #change(isWanted: (config: Config) => boolean): Promise<void> {
    const before = this.#parts.inForce.loaded
    let waiting: readonly string[] = []
    let began = false
    try {
      const loaded = await this.#parts.load()
      waiting = changedStartSettings(loaded.config, before.config)
      const config = keepStartSettings(loaded.config, before.config)
      if (!isWanted(config)) return
      await this.#parts.begins()
      began = true
      await this.#bring({ ...loaded, config })
    } catch (error) {
      const reason = describeRefusal(error, null)
      const text = `The new configuration is refused as a whole; the running one stays.\n${reason}${namesOf(waiting)}`
      this.#parts.log({ level: 'error', code: 'config.refused', text })
      this.#parts.inForce.reload = { ...this.#parts.inForce.reload, isRefused: true }
      if (began && !(error instanceof ConfigError)) await this.#bringBack(before)
      if (began) await this.#parts.ended(codeOf(error))
      return
    }
    this.#parts.inForce.reload = { at: Date.now(), isRefused: false }
    this.#parts.settled(this.#parts.inForce.loaded.config)
    const text = `The configuration was loaded again.${namesOf(waiting)}`
    this.#parts.log({ level: waiting.length > 0 ? 'warn' : 'info', code: 'config.reloaded', text })
    await this.#parts.ended('')
  }

  async #bring(next: LoadedConfig): Promise<void> {
    await this.#parts.apply(next)
    this.#parts.inForce.loaded = next
    await this.#parts.publish()
  }

  /** The store may hold the new objects already. */
  async #bringBack(before: LoadedConfig): Promise<void> {
    this.#parts.inForce.loaded = before
    try {
      await this.#bring(before)
    } catch (error) {
      const text = `The store may hold objects of the refused configuration until the next reload. ${describeRefusal(error, null)}`
      this.#parts.log({ level: 'error', code: 'config.refused', text })
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Fault ? error.code : faults.configInvalid.code
}

function namesOf(waiting: readonly string[]): string {
  return waiting.length === 0 ? '' : `\nAt the next start only, these take effect: ${waiting.join(', ')}.`
}

export function createReloader(parts: ReloaderParts): Reloader {
  return new SerialReloader(parts)
}
