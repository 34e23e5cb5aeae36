/**
 * Publishes what changed in the store to the data plane: keys as deltas, everything else as one whole snapshot.
 * Each snapshot is compiled here first; one that cannot be compiled is refused, stays visible as a problem, and the
 * data plane keeps the last good one. Changes by this process are published at once, others within `pollMs`.
 */
import type { SnapshotConfig, SnapshotMessage } from '../domain/snapshot.ts'
import { snapshotKeys } from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { Store } from '../ports/store.ts'
import { buildSnapshot, type SnapshotSources } from './build-snapshot.ts'

export interface PublisherState {
  readonly version: number
  /** Unix milliseconds of the last snapshot that was sent; null: none yet. */
  readonly appliedAt: number | null
  /** Why the last snapshot was refused; null: it was not. */
  readonly problem: string | null
  readonly warnings: readonly string[]
  readonly deploymentCount: number
  readonly routeCount: number
}

export interface PublisherParts {
  readonly store: Store
  readonly sources: () => SnapshotSources
  /** Throws when the data plane could not compile it. */
  readonly check: (config: SnapshotConfig) => void
  readonly send: (message: SnapshotMessage) => void
  readonly now: () => number
  readonly pollMs?: number
}

export interface Publisher {
  readonly state: PublisherState
  /** Publish everything anew, for a data plane that knows nothing. Rejects when the first snapshot is refused. */
  start(): Promise<void>
  /** Build and send the snapshot again although the store did not change (configuration was reloaded). */
  republish(): Promise<void>
  stop(): void
}

class StorePublisher implements Publisher {
  readonly #parts: PublisherParts
  readonly #unsubscribe: () => void
  readonly #poll: NodeJS.Timeout
  #state: PublisherState = {
    version: 0,
    appliedAt: null,
    problem: null,
    warnings: [],
    deploymentCount: 0,
    routeCount: 0,
  }
  #keysVersion = 0
  #configurationVersion = -1
  #running: Promise<void> = Promise.resolve()
  #stopped = false
  #pending = false

  constructor(parts: PublisherParts) {
    this.#parts = parts
    this.#unsubscribe = parts.store.subscribe(() => this.#schedule())
    this.#poll = setInterval(() => this.#schedule(), parts.pollMs ?? 1000)
    this.#poll.unref()
  }

  get state(): PublisherState {
    return this.#state
  }

  async start(): Promise<void> {
    const versions = await this.#parts.store.versions()
    this.#configurationVersion = versions.configuration
    await this.#publishConfiguration()
    this.#keysVersion = 0
    await this.#publishKeys(true)
  }

  republish(): Promise<void> {
    const done = this.#running.then(() => this.#publishConfiguration())
    this.#running = done.catch(ignoreRefusal)
    return done
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#poll)
    this.#unsubscribe()
  }

  /** One publication at a time; changes that come meanwhile are gathered into the next. */
  #schedule(): void {
    if (this.#pending || this.#stopped) return
    this.#pending = true
    this.#running = this.#running.then(async () => {
      this.#pending = false
      if (!this.#stopped) await this.#publishChanges().catch(ignoreRefusal)
    })
  }

  async #publishChanges(): Promise<void> {
    const versions = await this.#parts.store.versions()
    // Keys first: a revocation must not wait for a snapshot to be compiled.
    if (versions.current !== this.#keysVersion) await this.#publishKeys(false)
    if (versions.configuration === this.#configurationVersion) return
    this.#configurationVersion = versions.configuration
    await this.#publishConfiguration().catch(ignoreRefusal)
  }

  async #publishConfiguration(): Promise<void> {
    const records = await this.#parts.store.loadConfiguration()
    const { config, warnings } = await buildSnapshot(records, this.#parts.sources())
    try {
      this.#parts.check(config)
    } catch (error) {
      const problem = error instanceof Fault ? error.publicText : 'the snapshot cannot be compiled'
      this.#state = { ...this.#state, problem, warnings }
      throw error
    }
    this.#parts.send({ type: 'config', config })
    this.#state = {
      version: records.version,
      appliedAt: this.#parts.now(),
      problem: null,
      warnings,
      deploymentCount: config.deployments.length,
      routeCount: config.routes.length,
    }
  }

  async #publishKeys(reset: boolean): Promise<void> {
    let first = reset
    for (;;) {
      const changes = await this.#parts.store.keysSince(this.#keysVersion)
      this.#keysVersion = changes.version
      if (first || changes.upsert.length > 0 || changes.remove.length > 0) {
        this.#parts.send(snapshotKeys(changes, { now: this.#parts.now(), reset: first }))
      }
      first = false
      if (!changes.more) return
    }
  }
}

export function createPublisher(parts: PublisherParts): Publisher {
  return new StorePublisher(parts)
}

/** A refusal is kept in the state; a store that does not answer is asked again at the next poll. */
function ignoreRefusal(): void {}
