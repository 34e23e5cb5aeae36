/**
 * One product under load whose events go to two receivers, a `_bulk` server and a file of JSON lines, all of them
 * durable; and the comparison at the end: what callers were answered, what is on record, what arrived.
 *
 *   callers ──▶ product ──▶ usage log ──▶ `_bulk`, file          administrator ──▶ audit log ──▶ `_bulk`, file
 *   answered  ⊆  on record  =  arrived at each
 *
 * Bounds: every wait ends, and whatever was started ends with the run, or with this process.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import type { OversightEvent } from '../../src/domain/oversight-event.ts'
import { type BulkFaults, type BulkServer, startBulkServer } from '../../test/fixtures/bulk/bulk-server.ts'
import { type Product, startProduct } from '../../test/journeys/product.ts'
import { readLoggedIds } from '../../test/journeys/usage-on-disk.ts'
import { atMost, type ProofRow } from './slice.ts'

/** A receiver that was away is asked again after a minute at most. */
const arrivalWithinMs = 240_000
const callTimeoutMs = 20_000
const streams = ['access', 'usage', 'security', 'audit']
/** One in so many requests asks for a model that is not there: a refusal that `security` is told of. */
const refusedEvery = 10

export interface RunOptions {
  /** What the receiver does to calls and items. */
  readonly faults?: BulkFaults
  readonly environment?: Readonly<Record<string, string>>
}

export const noFaults: BulkFaults = { call: () => null, item: () => null }

/** Events that an answer promises. */
const eventsOf = (id: string, status: number): readonly string[] =>
  status === 200 ? [id, `${id}.usage`] : [id, `${id}.usage`, `${id}.refused`]

const without = (wanted: Iterable<string>, have: ReadonlySet<string>): string[] =>
  [...wanted].filter((id) => !have.has(id))

const differences = (one: ReadonlySet<string>, other: ReadonlySet<string>): number =>
  without(one, other).length + without(other, one).length

export class OversightRun {
  readonly directory = mkdtempSync(join(tmpdir(), 'gatewright-oversight-'))
  readonly bulk: BulkServer
  /** Ids of events that must arrive. */
  readonly promised = new Set<string>()
  /** Answers by status. */
  readonly answers = new Map<number, number>()
  /** Calls that had no whole answer. */
  broken = 0
  readonly #environment: Readonly<Record<string, string>>
  #product: Product | null = null
  #apiKey = ''
  #changes = 0

  private constructor(bulk: BulkServer, environment: Readonly<Record<string, string>>) {
    this.bulk = bulk
    this.#environment = environment
    mkdirSync(this.dataDirectory, { mode: 0o700 })
    process.once('exit', this.#killNow)
  }

  /** The directory of data is there, and empty. */
  static async open({ faults = noFaults, environment = {} }: RunOptions = {}): Promise<OversightRun> {
    return new OversightRun(await startBulkServer(faults), environment)
  }

  get dataDirectory(): string {
    return join(this.directory, 'data')
  }

  get product(): Product {
    if (this.#product === null) throw new TypeError('the product was not started')
    return this.#product
  }

  async start(): Promise<void> {
    const file = { name: 'file', streams, batchMs: 50 }
    const search = { name: 'search', streams, batchMs: 50 }
    this.#product = await startProduct({
      directory: this.directory,
      environment: { SEARCH_KEY: 'proof', ...this.#environment },
      config: {
        events: { exchanges: 'durable', security: 'durable' },
        sinks: [
          { ...file, jsonlFile: { path: join(this.directory, 'events.jsonl'), keepFiles: 10_000 } },
          {
            ...search,
            elastic: {
              url: `http://127.0.0.1:${this.bulk.port}`,
              secret: 'env:SEARCH_KEY',
              allowPrivateNetwork: true,
            },
          },
        ],
      },
    })
    if (this.#apiKey === '') this.#apiKey = this.#product.apiKey
  }

  async kill(): Promise<void> {
    this.product.process.kill('SIGKILL')
    await this.product.stop({ keep: true })
  }

  /** Callers and an administrator, until `signal`, or until the product is gone. */
  async load(signal: AbortSignal, { callers = 4, pauseMs = 0 } = {}): Promise<void> {
    const calling = Array.from({ length: callers }, (_, caller) =>
      this.#repeat(signal, pauseMs, (agent, turn) => this.#chat(agent, (turn + caller) % refusedEvery === 0)),
    )
    await Promise.all([...calling, this.#repeat(signal, 200, (agent) => this.#change(agent))])
  }

  async #repeat(
    signal: AbortSignal,
    pauseMs: number,
    call: (agent: Agent, turn: number) => Promise<void>,
  ): Promise<void> {
    const agent = new Agent({ headersTimeout: callTimeoutMs, bodyTimeout: callTimeoutMs })
    try {
      for (let turn = 0; !signal.aborted; turn += 1) {
        await call(agent, turn)
        if (pauseMs > 0) await sleep(pauseMs)
      }
    } catch {
      // The connection broke: where the product was killed, that is what it was for.
      this.broken += 1
    } finally {
      await agent.destroy()
    }
  }

  async #chat(dispatcher: Agent, isRefused: boolean): Promise<void> {
    const model = isRefused ? 'unheard-of' : 'sandbox'
    const answer = await request(`${this.product.http}/v1/chat/completions`, {
      dispatcher,
      method: 'POST',
      headers: { authorization: `Bearer ${this.#apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'sandbox: say=ok' }] }),
    })
    await answer.body.text()
    const { statusCode } = answer
    this.answers.set(statusCode, (this.answers.get(statusCode) ?? 0) + 1)
    if (statusCode !== (isRefused ? 404 : 200)) return
    const id = String(answer.headers['x-gatewright-request-id'])
    for (const event of eventsOf(id, statusCode)) this.promised.add(event)
  }

  async #change(dispatcher: Agent): Promise<void> {
    this.#changes += 1
    const slug = `proof-${this.#changes}`
    const answer = await request(`${this.product.control}/api/v1/organizations/default/applications`, {
      dispatcher,
      method: 'POST',
      headers: { authorization: `Bearer ${this.product.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ slug, name: slug }),
    })
    await answer.body.text()
    if (answer.statusCode !== 201) return
    const id = String(answer.headers['x-request-id'])
    this.promised.add(id).add(`${id}.intent`)
  }

  /** Ids at the `_bulk` server; an id in two data streams is there twice. */
  bulkIds(): string[] {
    return [...this.bulk.documents.keys()].map((place) => place.slice(place.indexOf('/') + 1))
  }

  fileEvents(): { readonly events: readonly OversightEvent[]; readonly torn: number } {
    const events: OversightEvent[] = []
    let torn = 0
    for (const name of readdirSync(this.directory).filter((each) => each.startsWith('events.jsonl'))) {
      for (const line of readFileSync(join(this.directory, name), 'utf8').split('\n')) {
        if (line === '') continue
        try {
          events.push(JSON.parse(line) as OversightEvent)
        } catch {
          torn += 1
        }
      }
    }
    return { events, torn }
  }

  /** Waits until both have `wanted`; what is missing after that is for the comparison to say. */
  async arrive(wanted: ReadonlySet<string>): Promise<void> {
    const deadline = performance.now() + arrivalWithinMs
    while (performance.now() < deadline) {
      const bulk = new Set(this.bulkIds())
      if (without(wanted, bulk).length === 0) {
        const file = new Set(this.fileEvents().events.map(({ id }) => id))
        if (without(wanted, file).length === 0) return
      }
      await sleep(250)
    }
  }

  /** What is on record once the product has ended, started again and sent the rest; it has ended then. */
  async settle(): Promise<Settled> {
    await this.arrive(this.promised)
    await this.product.stop({ keep: true })
    const logged = await readLoggedIds(this.directory)
    const recorded = new Set(logged)
    await this.start()
    await this.arrive(new Set([...recorded, ...this.promised]))
    await this.product.stop({ keep: true })
    return compare(this, recorded)
  }

  readonly #killNow = (): void => {
    this.#product?.process.kill('SIGKILL')
  }

  async close(): Promise<void> {
    process.off('exit', this.#killNow)
    this.#killNow()
    await this.#product?.stop({ keep: true })
    this.bulk.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export interface Settled {
  readonly promised: number
  readonly missingAtBulk: number
  readonly missingInFile: number
  /** Requests that are at one receiver and not on record, or on record and not at both. */
  readonly unequal: number
  /** Ids that stand for two different events. */
  readonly ambiguous: number
  readonly torn: number
  /** Of both. */
  readonly repeats: number
  /** What the `_bulk` server found wrong with how it was asked. */
  readonly complaints: number
}

function compare(run: OversightRun, recorded: ReadonlySet<string>): Settled {
  const bulkList = run.bulkIds()
  const bulk = new Set(bulkList)
  const { events, torn } = run.fileEvents()
  const texts = new Map<string, string>()
  let ambiguous = bulkList.length - bulk.size
  for (const event of events) {
    const text = JSON.stringify(event)
    if ((texts.get(event.id) ?? text) !== text) ambiguous += 1
    texts.set(event.id, text)
  }
  const file = new Set(texts.keys())
  const exchanges = events.filter(({ stream, actor }) => stream === 'access' && actor.kind === 'key')
  const arrived = new Set(exchanges.map(({ id }) => id))
  const unequal = differences(arrived, recorded) + differences(file, bulk)
  return {
    promised: run.promised.size,
    missingAtBulk: without(run.promised, bulk).length,
    missingInFile: without(run.promised, file).length,
    unequal,
    ambiguous,
    torn,
    repeats: run.bulk.repeats + events.length - file.size,
    complaints: run.bulk.complaints.length,
  }
}

const none = { limit: 0, unit: '' }
/** Of nothing nothing is lost: a run in which hardly anything was answered proves nothing. */
const leastPromised = 200

export function settledRows(name: string, settled: Settled): readonly ProofRow[] {
  const { promised } = settled
  return [
    {
      claim: `${name}: events that answers promised`,
      target: `≥ ${leastPromised}`,
      measured: promised,
      unit: '',
      ok: promised >= leastPromised,
    },
    atMost(`${name}: of these not at the _bulk server`, settled.missingAtBulk, none),
    atMost(`${name}: of these not in the file`, settled.missingInFile, none),
    atMost(`${name}: on record, at the server, in the file: differences`, settled.unequal, none),
    atMost(`${name}: ids that stand for two events`, settled.ambiguous, none),
    atMost(`${name}: calls that the server found malformed`, settled.complaints, none),
    { claim: `${name}: arrived more than once`, target: '', measured: settled.repeats, unit: '', ok: null },
    { claim: `${name}: lines torn by kills`, target: '', measured: settled.torn, unit: '', ok: null },
  ]
}

/** Closes the run however it ends, and ends it where it hangs. */
export async function withRun<T>(
  options: RunOptions & { readonly withinMs: number },
  body: (run: OversightRun) => Promise<T>,
): Promise<T> {
  const run = await OversightRun.open(options)
  let timer: NodeJS.Timeout | undefined
  const overdue = new Promise<never>((_, reject) => {
    const text = `not done within ${Math.round(options.withinMs / 1000)} s`
    timer = setTimeout(() => reject(new Error(text)), options.withinMs)
  })
  try {
    return await Promise.race([body(run), overdue])
  } finally {
    clearTimeout(timer)
    await run.close()
  }
}
