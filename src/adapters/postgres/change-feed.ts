/**
 * Tells the other nodes of a new version, and hears of theirs: NOTIFY after the commit, LISTEN on a connection of its
 * own. A message may be lost (a node dies between the two, the connection breaks): who listens polls besides.
 *
 *   commit ──▶ announce ──NOTIFY──▶ other nodes' listeners
 *   connection lost ──back-off──▶ LISTEN again ──▶ listeners, with the version as it is now
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type ClientConfig, type Pool } from 'pg'

const channel = 'gatewright_changes'
const firstDelayMs = 100
const longestDelayMs = 5000
const probeEveryMs = 15_000

export interface ChangeFeedParts {
  readonly settings: ClientConfig
  readonly pool: Pool
  /** The connection was lost (false), or is there again (true). Once each time. */
  readonly onConnection: (isThere: boolean) => void
  readonly readVersion: () => Promise<number>
}

export interface ChangeFeed {
  /** Never throws, never waits. */
  announce(version: number): void
  /** Called with versions of other nodes' changes. Returns the way to stop it. */
  subscribe(listener: (version: number) => void): () => void
  close(): Promise<void>
}

class PostgresChangeFeed implements ChangeFeed {
  readonly #parts: ChangeFeedParts
  readonly #name = randomUUID()
  readonly #listeners = new Set<(version: number) => void>()
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  /** Announced when the message under way is out; later versions stand for earlier ones. */
  #nextVersion = 0
  #isSending = false
  #isThere = true

  constructor(parts: ChangeFeedParts) {
    this.#parts = parts
    this.#running = this.#run()
  }

  announce(version: number): void {
    this.#nextVersion = version
    if (!this.#isSending) void this.#send()
  }

  async #send(): Promise<void> {
    this.#isSending = true
    for (let sent = 0; sent < this.#nextVersion; ) {
      sent = this.#nextVersion
      const payload = `${this.#name} ${sent}`
      await this.#parts.pool.query('select pg_notify($1, $2)', [channel, payload]).catch(ignoreLoss)
    }
    this.#isSending = false
  }

  subscribe(listener: (version: number) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    let delayMs = firstDelayMs
    while (!signal.aborted) {
      const heard = await this.#listenUntilLost()
      if (signal.aborted) return
      this.#report(false)
      delayMs = heard ? firstDelayMs : Math.min(delayMs * 2, longestDelayMs)
      // Spread, so that all nodes do not come back at one moment.
      await sleep(delayMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(ignoreLoss)
    }
  }

  /** Resolves when the connection ends. True: it had been there. */
  async #listenUntilLost(): Promise<boolean> {
    const client = new Client(this.#parts.settings)
    const { signal } = this.#stopping
    const lost = new Promise<void>((resolve) => {
      client.on('error', () => resolve())
      client.on('end', () => resolve())
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    client.on('notification', ({ payload }) => this.#hear(payload ?? ''))
    try {
      await client.connect()
      await client.query(`listen ${channel}`)
      this.#report(true)
      this.#tell(await this.#parts.readVersion())
    } catch {
      await client.end().catch(ignoreLoss)
      return false
    }
    // A connection that is silent because it is broken is found by a question without answer.
    const probe = setInterval(() => {
      client.query('select 1').catch(() => client.end().catch(ignoreLoss))
    }, probeEveryMs)
    await lost
    clearInterval(probe)
    await client.end().catch(ignoreLoss)
    return true
  }

  #hear(payload: string): void {
    const [name, version] = payload.split(' ')
    if (name !== this.#name) this.#tell(Number(version))
  }

  #tell(version: number): void {
    if (!Number.isSafeInteger(version)) return
    for (const listener of this.#listeners) listener(version)
  }

  #report(isThere: boolean): void {
    if (isThere === this.#isThere) return
    this.#isThere = isThere
    this.#parts.onConnection(isThere)
  }
}

export function openChangeFeed(parts: ChangeFeedParts): ChangeFeed {
  return new PostgresChangeFeed(parts)
}

/** What is lost here is found by polling. */
function ignoreLoss(): void {}
