/**
 * What real receivers get: Prometheus, promtool and Alertmanager by their tests, a row for each; rsyslogd, a strict
 * server of `_bulk` that fails, and OpenSearch from a product under traffic, compared by id. Where a receiver cannot be
 * had a row says so and what was tried.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { type BulkFaults, startBulkServer } from '../../test/fixtures/bulk/bulk-server.ts'
import {
  isOnMaven,
  type OpenSearch,
  startOpenSearch,
} from '../../test/fixtures/opensearch/opensearch-server.ts'
import { type RsyslogServer, startRsyslog } from '../../test/fixtures/rsyslog/rsyslog-server.ts'
import type { Product } from '../../test/journeys/product.ts'
import { projectRoot } from '../pinned-node.mjs'
import { runProgram } from '../run-program.ts'
import { type Receivers, sendCalls, startSending, type Told } from './receivers-product.ts'
import { askDashboards, countIgnored, idsIn, refresh } from './receivers-search.ts'
import { runTestsOf } from './run-test-files.ts'
import type { ProofOptions, ProofRow } from './slice.ts'

const testFiles = [
  'test/journeys/monitoring.test.ts',
  'test/journeys/metrics.test.ts',
  'tools/monitoring.test.ts',
  'src/adapters/sinks/syslog-sink.test.ts',
]
const failShare = 0.3
const arriveWithinMs = 180_000
const acts = 3

const none = (claim: string, measured: number): ProofRow => ({
  claim,
  target: '0',
  measured,
  unit: '',
  ok: measured === 0,
})
const told = (claim: string, measured: number | string): ProofRow => ({
  claim,
  target: '',
  measured,
  unit: '',
  ok: null,
})

function failing(): BulkFaults & { calls: number; failed: number; items: number } {
  const seen = {
    calls: 0,
    failed: 0,
    items: 0,
    call(): ReturnType<BulkFaults['call']> {
      seen.calls += 1
      if (Math.random() >= failShare) return null
      seen.failed += 1
      const way = Math.floor(Math.random() * 3)
      return way === 0 ? { status: 429 } : way === 1 ? { status: 503 } : 'reset'
    },
    item(): number | null {
      if (Math.random() >= failShare) return null
      seen.items += 1
      return Math.random() < 0.5 ? 429 : 503
    },
  }
  return seen
}

const syslogIds = (server: RsyslogServer): Set<string> =>
  new Set(server.lines().flatMap((line) => /\[gatewright@32473 id="([^"]*)"/.exec(line)?.[1] ?? []))

interface Place {
  readonly name: string
  ids(): Promise<ReadonlySet<string>>
}

function placesOf({ json, cef, leef, bulk, search }: Receivers): readonly Place[] {
  const syslog = (name: string, server: RsyslogServer): Place => ({
    name,
    ids: async () => syslogIds(server),
  })
  const places: Place[] = [
    syslog('rsyslog, TLS, JSON, restarted once', json),
    syslog('rsyslog, mutual TLS, CEF', cef),
    syslog('rsyslog, mutual TLS, LEEF', leef),
    {
      name: '_bulk, 30 % failing',
      ids: async () => new Set([...bulk.documents.keys()].map((key) => key.slice(key.indexOf('/') + 1))),
    },
  ]
  if (search === null) return places
  const ids = async (): Promise<ReadonlySet<string>> => {
    await refresh(search)
    return idsIn(search, 'logs-gatewright.access-*,logs-gatewright.usage-*,logs-gatewright.security-*')
  }
  return [...places, { name: `OpenSearch ${search.version}`, ids }]
}

/** Two rows: what is missing once nothing more comes, and what nobody sent. */
async function compare({ name, ids }: Place, expected: ReadonlySet<string>): Promise<ProofRow[]> {
  const deadline = Date.now() + arriveWithinMs
  const missing = (have: ReadonlySet<string>): number => [...expected].filter((id) => !have.has(id)).length
  let have = await ids()
  while (missing(have) > 0 && Date.now() < deadline) {
    await sleep(250)
    have = await ids()
  }
  const strange = [...have].filter((id) => !expected.has(id)).length
  return [none(`${name}: events missing`, missing(have)), none(`${name}: events that nobody sent`, strange)]
}

/** What an administrator does, to be seen in the stream of audit events. */
async function act({ control, adminToken }: Product): Promise<void> {
  for (let turn = 0; turn < acts; turn += 1) {
    const { statusCode, body } = await request(`${control}/api/v1/organizations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ slug: `receivers-${turn}`, name: `Receivers ${turn}` }),
    })
    await body.dump()
    if (statusCode !== 201) throw new Error(`an organization was answered with ${statusCode}`)
  }
}

async function compareAll(product: Product, receivers: Receivers, sent: Told): Promise<ProofRow[]> {
  const rows: ProofRow[] = [told('events that must be at each receiver', sent.ids.size)]
  for (const place of placesOf(receivers)) rows.push(...(await compare(place, sent.ids)))
  const metrics = await (await fetch(`${product.control}/metrics`)).text()
  const letters = [...metrics.matchAll(/^gatewright_export_dead_letter_total\{[^}]*\} (\S+)$/gm)]
  rows.push(
    none(
      'events put aside',
      letters.reduce((sum, [, value]) => sum + Number(value), 0),
    ),
  )
  return rows
}

async function askSearch(server: OpenSearch): Promise<ProofRow[]> {
  const deadline = Date.now() + arriveWithinMs
  let audit = 0
  while (audit < acts && Date.now() < deadline) {
    await sleep(250)
    await refresh(server)
    audit = (await idsIn(server, 'logs-gatewright.audit-*')).size
  }
  const { asked, empty } = await askDashboards(server)
  return [
    { claim: 'OpenSearch: audit events', target: `≥ ${acts}`, measured: audit, unit: '', ok: audit >= acts },
    none('OpenSearch: documents with a field that its type could not take', await countIgnored(server)),
    told('columns of panels of Kibana’s dashboards that were asked of it', asked),
    {
      ...none('columns without a figure', empty.length),
      measured: empty.length === 0 ? 0 : empty.join('; '),
    },
  ]
}

async function startSearch(rows: ProofRow[]): Promise<OpenSearch | null> {
  try {
    const server = await startOpenSearch()
    const template = readFileSync(join(projectRoot, 'deploy/elastic/opensearch-index-template.json'), 'utf8')
    const { status } = await server.ask('PUT', '/_index_template/gatewright', JSON.parse(template))
    const claim = `OpenSearch ${server.version} takes our index template`
    rows.push({ claim, target: '200', measured: status, unit: '', ok: status === 200 })
    return server
  } catch (error) {
    rows.push(
      told('a real OpenSearch', `not here: ${error instanceof Error ? error.message : String(error)}`),
    )
    return null
  }
}

/** What was tried to have the others. */
async function lookForOthers(): Promise<ProofRow[]> {
  const names = ['elasticsearch', 'kibana', 'logstash', 'filebeat']
  const rows: ProofRow[] = []
  for (const name of names) {
    const { stdout } = await runProgram('apt-cache', ['policy', name], { cwd: projectRoot }).catch(() => ({
      stdout: '',
    }))
    const version = /Candidate: (?!\(none\))(\S+)/.exec(stdout)?.[1]
    rows.push(told(`${name} among the packages of the system`, version ?? 'no'))
  }
  const parts = ['org.elasticsearch:elasticsearch:9.1.0', 'org.elasticsearch.plugin:data-streams:9.1.0']
  for (const part of parts) {
    const found = await isOnMaven(part).catch(() => null)
    rows.push(told(`${part} on Maven Central`, found === null ? 'Maven is not here' : found ? 'yes' : 'no'))
  }
  return rows
}

async function send(
  receivers: Receivers,
  faults: ReturnType<typeof failing>,
  calls: number,
): Promise<ProofRow[]> {
  const product = await startSending(receivers)
  try {
    await act(product)
    const { json, search } = receivers
    const sent = await sendCalls(product, calls, () => json.end().then(json.start))
    const rows = [
      told('calls that were answered', sent.calls),
      told('of these refused by a limit', sent.refused),
    ]
    rows.push(...(await compareAll(product, receivers, sent)))
    rows.push(none('_bulk: calls that a strict server would refuse', receivers.bulk.complaints.length))
    rows.push(told('_bulk: calls that failed', `${faults.failed} of ${faults.calls}`))
    rows.push(told('_bulk: items that failed', faults.items))
    if (search !== null) rows.push(...(await askSearch(search)))
    return rows
  } finally {
    await product.stop()
  }
}

export async function proveReceivers({ quick, say }: ProofOptions): Promise<readonly ProofRow[]> {
  const rows: ProofRow[] = []
  for (const file of testFiles) {
    say(`  ${file}`)
    rows.push(...(await runTestsOf(file)))
  }
  say('  starting receivers')
  const faults = failing()
  const bulk = await startBulkServer(faults)
  const syslogs = [
    await startRsyslog(),
    await startRsyslog({ mutual: true }),
    await startRsyslog({ mutual: true }),
  ] as const
  const search = await startSearch(rows)
  const [json, cef, leef] = syslogs
  try {
    rows.push(...(await send({ json, cef, leef, bulk, search }, faults, quick ? 300 : 5000)))
  } finally {
    bulk.close()
    for (const server of syslogs) await server.stop()
    await search?.stop()
  }
  return [...rows, ...(await lookForOthers())]
}
