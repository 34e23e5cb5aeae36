/**
 * A product that sends what happens to real receivers, and what must then be at each of them: ids that follow from the
 * answers that callers got, not from what the product says.
 *
 *   callers ──▶ product ─┬─ syslog, TLS, ECS JSON ────────▶ rsyslogd, restarted half way
 *                        ├─ syslog, mutual TLS, CEF ──────▶ rsyslogd
 *                        ├─ syslog, mutual TLS, LEEF ─────▶ rsyslogd
 *                        ├─ _bulk ────────────────────────▶ strict server that fails
 *                        └─ _bulk ────────────────────────▶ OpenSearch, where there is one
 */
import { Agent, request } from 'undici'
import type { BulkServer } from '../../test/fixtures/bulk/bulk-server.ts'
import type { OpenSearch } from '../../test/fixtures/opensearch/opensearch-server.ts'
import type { RsyslogServer } from '../../test/fixtures/rsyslog/rsyslog-server.ts'
import { type Product, startProduct } from '../../test/journeys/product.ts'

export interface Receivers {
  readonly json: RsyslogServer
  readonly cef: RsyslogServer
  readonly leef: RsyslogServer
  readonly bulk: BulkServer
  readonly search: OpenSearch | null
}

/** All that says who called and how it ended; what administrators did is counted apart. */
const streams = ['access', 'usage', 'security']

function syslogTo({ port, authorityFile, client }: RsyslogServer, format: string, isMutual: boolean) {
  const shown = { certificate: `file:${client.certificateFile}`, key: `file:${client.keyFile}` }
  const address = { host: '127.0.0.1', port, allowPrivateNetwork: true, authority: `file:${authorityFile}` }
  return { syslog: { ...address, format, ...(isMutual ? shown : {}) } }
}

function configOf({ json, cef, leef, bulk, search }: Receivers): Record<string, unknown> {
  const sink = (name: string, receiver: object, own: object = {}) => ({
    name,
    streams,
    batchMs: 50,
    ...own,
    ...receiver,
  })
  const elastic = (url: string) => ({ elastic: { url, secret: 'env:SEARCH_KEY', allowPrivateNetwork: true } })
  const all = { streams: [...streams, 'audit'] }
  return {
    gateway: { workers: 2 },
    limits: [
      { name: 'few', meter: 'requests', amount: 20, window: 'day', per: [], match: { users: ['ada'] } },
    ],
    sinks: [
      sink('json', syslogTo(json, 'json', false)),
      sink('cef', syslogTo(cef, 'cef', true)),
      sink('leef', syslogTo(leef, 'leef', true)),
      sink('bulk', elastic(`http://127.0.0.1:${bulk.port}`), { batchEvents: 50 }),
      ...(search === null ? [] : [sink('search', elastic(search.url), all)]),
    ],
  }
}

export function startSending(receivers: Receivers): Promise<Product> {
  return startProduct({ config: configOf(receivers), environment: { SEARCH_KEY: 'a2V5' } })
}

export interface Told {
  /** Ids of events that must arrive. */
  readonly ids: ReadonlySet<string>
  readonly calls: number
  readonly refused: number
}

/** One call; the ids of the events that it makes, by what its caller saw of it. */
async function call({ http, apiKey }: Product, dispatcher: Agent, turn: number): Promise<readonly string[]> {
  const answer = await request(`${http}/v1/chat/completions`, {
    dispatcher,
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'sandbox',
      stream: turn % 3 === 0,
      messages: [{ role: 'user', content: 'sandbox: say=ok' }],
      ...(turn % 10 === 0 ? { user: 'ada' } : {}),
    }),
  })
  await answer.body.text()
  const id = String(answer.headers['x-gatewright-request-id'])
  if (answer.statusCode === 200) return [id, `${id}.usage`]
  if (answer.statusCode === 429) return [id, `${id}.usage`, `${id}.refused`]
  throw new Error(`a call was answered with ${answer.statusCode}`)
}

/** Calls of eight callers at once; `halfWay` is awaited beside them. */
export async function sendCalls(
  product: Product,
  calls: number,
  halfWay: () => Promise<void>,
): Promise<Told> {
  const agent = new Agent({ connections: 8 })
  const ids = new Set<string>()
  let next = 0
  let refused = 0
  let beside: Promise<void> = Promise.resolve()
  async function callUntilAll(): Promise<void> {
    while (next < calls) {
      next += 1
      if (next === Math.floor(calls / 2)) beside = halfWay()
      const made = await call(product, agent, next)
      if (made.length > 2) refused += 1
      for (const id of made) ids.add(id)
    }
  }
  await Promise.all(Array.from({ length: 8 }, callUntilAll))
  await beside
  await agent.close()
  return { ids, calls, refused }
}
