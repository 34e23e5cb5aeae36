/**
 * Publishes what changed in the store to the data plane: keys as deltas, everything else as one whole snapshot.
 * Each snapshot is compiled here first; one that cannot be compiled is refused, stays visible as a problem, and the
 * data plane keeps the last good one. Changes by this process are published at once, others within `pollMs`.
 */
import type { SnapshotConfig, SnapshotMessage } from '../domain/snapshot.ts'
import { faults } from '../faults/catalogue.ts'
import { snapshotKeys } from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { ConfigurationRecords, KeyChanges, Store } from '../ports/store.ts'
import { type BuiltSnapshot, buildSnapshot, type SnapshotSources } from './build-snapshot.ts'

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
  /** Asked for with each snapshot. */
  readonly sources: () => SnapshotSources | Promise<SnapshotSources>
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
  #revocationsVersion = 0
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
    // Before the keys, which open the gateway.
    await this.#publishRevocations(0, true)
    this.#revocationsVersion = versions.current
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
    if (versions.current !== this.#revocationsVersion) {
      await this.#publishRevocations(this.#revocationsVersion, false)
      // What came meanwhile is read again the next time, rather than missed.
      this.#revocationsVersion = versions.current
    }
    if (versions.current !== this.#keysVersion) await this.#publishKeys(false)
    if (versions.configuration === this.#configurationVersion) return
    this.#configurationVersion = versions.configuration
    await this.#publishConfiguration().catch(ignoreRefusal)
  }

  async #publishConfiguration(): Promise<void> {
    const { records, config, warnings } = await this.#build()
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

  async #build(): Promise<BuiltSnapshot & { readonly records: ConfigurationRecords }> {
    try {
      const records = await this.#parts.store.loadConfiguration()
      return { records, ...(await buildSnapshot(records, await this.#parts.sources(), this.#parts.now())) }
    } catch (error) {
      // It could not be read, so it is asked for again: what it takes away must not stay granted.
      this.#configurationVersion = -1
      if (error instanceof Fault && error.code === faults.configInvalid.code)
        this.#state = { ...this.#state, problem: error.publicText }
      throw error
    }
  }

  async #publishRevocations(since: number, reset: boolean): Promise<void> {
    const found = await this.#parts.store.tokenRevocationsSince(since)
    const add = found.map(({ createdAt: _at, organizationId: _owner, ...revocation }) => revocation)
    if (add.length > 0) this.#parts.send({ type: 'token-revocations', reset, add })
  }

  async #publishKeys(reset: boolean): Promise<void> {
    const upsert: KeyChanges['upsert'][number][] = []
    const remove: string[] = []
    let page: KeyChanges
    let version = this.#keysVersion
    do {
      page = await this.#parts.store.keysSince(version)
      version = page.version
      for (const stored of page.upsert) upsert.push(stored)
      for (const keyId of page.remove) remove.push(keyId)
    } while (page.more)
    this.#keysVersion = version
    if (!reset && upsert.length === 0 && remove.length === 0) return
    // One message, however many pages: a reset with some of the keys would revoke all others for a moment.
    const changes = { version, upsert, remove, more: false }
    this.#parts.send(snapshotKeys(changes, { now: this.#parts.now(), reset }))
  }
}

export function createPublisher(parts: PublisherParts): Publisher {
  return new StorePublisher(parts)
}

/** A refusal is kept in the state; a store that does not answer is asked again at the next poll. */
function ignoreRefusal(): void {}
