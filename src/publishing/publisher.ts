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

export function createPublisher(parts: PublisherParts): Publisher {
  let state: PublisherState = {
    version: 0,
    appliedAt: null,
    problem: null,
    warnings: [],
    deploymentCount: 0,
    routeCount: 0,
  }
  let keysVersion = 0
  let configurationVersion = -1
  let running: Promise<void> = Promise.resolve()
  let stopped = false
  let pending = false

  async function publishConfiguration(): Promise<void> {
    const records = await parts.store.loadConfiguration()
    const built = await buildSnapshot(records, parts.sources())
    try {
      parts.check(built.config)
    } catch (error) {
      const problem = error instanceof Fault ? error.publicText : 'the snapshot cannot be compiled'
      state = { ...state, problem, warnings: built.warnings }
      throw error
    }
    parts.send({ type: 'config', config: built.config })
    state = {
      version: records.version,
      appliedAt: parts.now(),
      problem: null,
      warnings: built.warnings,
      deploymentCount: built.config.deployments.length,
      routeCount: built.config.routes.length,
    }
  }

  async function publishKeys(reset: boolean): Promise<void> {
    let first = reset
    for (;;) {
      const changes = await parts.store.keysSince(keysVersion)
      const message = snapshotKeys(changes, { now: parts.now(), reset: first })
      keysVersion = changes.version
      if (first || changes.upsert.length > 0 || changes.remove.length > 0) parts.send(message)
      first = false
      if (!changes.more) return
    }
  }

  async function publishChanges(): Promise<void> {
    const versions = await parts.store.versions()
    // Keys first: a revocation must not wait for a snapshot to be compiled.
    if (versions.current !== keysVersion) await publishKeys(false)
    if (versions.configuration === configurationVersion) return
    configurationVersion = versions.configuration
    await publishConfiguration().catch(ignoreRefusal)
  }

  /** One publication at a time; changes that come meanwhile are gathered into the next. */
  function schedule(): void {
    if (pending || stopped) return
    pending = true
    running = running.then(async () => {
      pending = false
      if (!stopped) await publishChanges().catch(ignoreRefusal)
    })
  }

  const unsubscribe = parts.store.subscribe(schedule)
  const poll = setInterval(schedule, parts.pollMs ?? 1000)
  poll.unref()

  return {
    get state() {
      return state
    },
    async start() {
      const versions = await parts.store.versions()
      configurationVersion = versions.configuration
      await publishConfiguration()
      keysVersion = 0
      await publishKeys(true)
    },
    republish() {
      running = running.then(publishConfiguration)
      const done = running
      running = running.catch(ignoreRefusal)
      return done
    },
    stop() {
      stopped = true
      clearInterval(poll)
      unsubscribe()
    },
  }
}

/** A refusal is kept in the state; a store that does not answer is asked again at the next poll. */
function ignoreRefusal(): void {}
