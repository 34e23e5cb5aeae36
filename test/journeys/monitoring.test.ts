/**
 * What deploy/ gives to watch the product with, against a running product: a real Prometheus with the rules scrapes it
 * under traffic, every query of every dashboard and rule has data, and a real Alertmanager tells of an alert.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseExposition } from '../../src/telemetry/harness/parse-exposition.ts'
import { metricList } from '../../src/telemetry/index.ts'
import { dashboards } from '../../tools/monitoring/grafana-files.ts'
import { recordingRules } from '../../tools/monitoring/slo-rules.ts'
import { requireSystemProgram } from '../../tools/system-packages.ts'
import {
  type Expression,
  metricOfSample,
  panelExpressions,
  ruleExpressions,
  sampleNamesIn,
  signalExpressions,
  withoutVariables,
} from '../fixtures/monitoring/expressions.ts'
import { startUpstreamServer, type UpstreamServer } from '../fixtures/upstream/upstream-server.ts'
import { monitoredConfig, monitoredEnvironment, sendRound } from './monitored-traffic.ts'
import { type Product, startProduct } from './product.ts'
import { freePort, type Prometheus, startPrometheus } from './prometheus.ts'

const fileOf = (name: string): string =>
  fileURLToPath(new URL(`../../deploy/prometheus/${name}`, import.meta.url))

interface Received {
  readonly path: string
  readonly alerts: readonly {
    readonly labels: Readonly<Record<string, string>>
    readonly annotations: Readonly<Record<string, string>>
  }[]
}

const directory = mkdtempSync(join(tmpdir(), 'gatewright-alertmanager-'))
const received: Received[] = []
let upstream: UpstreamServer
let product: Product
let prometheus: Prometheus
let alertmanager: ChildProcess
let receiver: Server
let isOver = false
let traffic: Promise<void> = Promise.resolve()

/** Takes what Alertmanager tells. */
async function startReceiver(): Promise<string> {
  receiver = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    request.on('end', () => {
      const { alerts } = JSON.parse(text) as Omit<Received, 'path'>
      received.push({ path: request.url ?? '', alerts })
      response.end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
}

/** The example, with the receiver of this test and without its waits. */
async function startAlertmanager(): Promise<string> {
  const example = readFileSync(fileOf('alertmanager.yml'), 'utf8')
  const file = join(directory, 'alertmanager.yml')
  const own = await startReceiver()
  writeFileSync(
    file,
    example.replaceAll('http://on-call.internal', own).replaceAll(/group_wait: \d+s/g, 'group_wait: 1s'),
  )
  const address = `127.0.0.1:${await freePort()}`
  alertmanager = spawn(
    requireSystemProgram('prometheus-alertmanager'),
    [
      `--config.file=${file}`,
      `--storage.path=${directory}`,
      `--web.listen-address=${address}`,
      '--cluster.listen-address=',
    ],
    { cwd: directory, stdio: 'ignore' },
  )
  return address
}

async function keepSending(): Promise<void> {
  while (!isOver) {
    await sendRound(product)
    await sleep(500)
  }
}

before(async () => {
  upstream = await startUpstreamServer()
  product = await startProduct({ config: monitoredConfig(upstream), environment: monitoredEnvironment })
  prometheus = await startPrometheus(product, {
    rules: [fileOf('rules/recording.yml'), fileOf('rules/alerts.yml')],
    alertmanager: await startAlertmanager(),
  })
  traffic = keepSending()
})
after(async () => {
  isOver = true
  await traffic
  await prometheus?.stop()
  alertmanager?.kill('SIGKILL')
  receiver?.close()
  await product?.stop()
  await upstream?.close()
  rmSync(directory, { recursive: true, force: true })
})

/** Asks until all have data. Returns those that had none within the time, and those that are no query. */
async function askAll(queries: ReadonlyMap<string, string>, withinMs: number): Promise<readonly string[]> {
  const deadline = Date.now() + withinMs
  const open = new Map(queries)
  for (;;) {
    for (const [query, where] of open) {
      const { status, series } = await prometheus.ask(query)
      assert.equal(status, 200, `${where}: ${query} → ${status}`)
      if (series > 0) open.delete(query)
    }
    if (open.size === 0 || Date.now() > deadline)
      return [...open].map(([query, where]) => `${where}: ${query}`)
    await sleep(1000)
  }
}

const queriesOf = (list: readonly Expression[]): ReadonlyMap<string, string> =>
  new Map(list.map(({ where, expr }) => [withoutVariables(expr), where]))

test('every query of every panel has data', async () => {
  assert.deepEqual(await askAll(queriesOf(panelExpressions), 60_000), [])
})

test('every recording rule, and what every alert reads, has data', async () => {
  const recorded = recordingRules.map(({ record }) => ({ where: record, expr: record }))
  assert.deepEqual(await askAll(queriesOf([...recorded, ...signalExpressions]), 60_000), [])
})

test('every choice at the top of a dashboard has values', async () => {
  const choices = dashboards.flatMap(({ title, variables }) =>
    variables.map(({ name, of }): [string, string] => [`group by (${name}) (${of})`, `${title} $${name}`]),
  )
  assert.deepEqual(await askAll(new Map(choices), 30_000), [])
})

interface RuleState {
  readonly groups: readonly {
    readonly rules: readonly { readonly name: string; readonly health: string; readonly lastError?: string }[]
  }[]
}

test('every rule is evaluated without an error', async () => {
  const { groups } = (await prometheus.get('rules')) as RuleState
  const rules = groups.flatMap((group) => group.rules)
  assert.equal(rules.length, ruleExpressions.length)
  const failed = rules.filter(({ health }) => health !== 'ok')
  assert.deepEqual(failed, [])
})

test('at least 95 % of what the product exposes is shown or watched, and all of the table is exposed', async () => {
  const text = await (await fetch(`${product.control}/metrics`)).text()
  const exposed = parseExposition(text, 'prometheus').map(({ name }) => name)
  const used = new Set(
    [...panelExpressions, ...ruleExpressions]
      .flatMap(({ expr }) => sampleNamesIn(expr))
      .map((sample) => metricOfSample(sample, metricList)?.name),
  )
  const unused = exposed.filter((name) => !used.has(name))
  assert.ok(unused.length <= 0.05 * exposed.length, `not shown: ${unused.join(', ')}`)
  // Nothing overflows here, and a local certificate has an end of its own.
  const absent = metricList.map(({ name }) => name).filter((name) => !exposed.includes(name))
  assert.deepEqual(absent, ['gatewright_metric_series_overflows_total'])
})

test('a client that tries admin tokens is told to whom it concerns, with the page that says what to do', async () => {
  const deadline = Date.now() + 60_000
  const isTold = ({ labels }: Received['alerts'][number]): boolean =>
    labels['alertname'] === 'GatewrightAdminSignInsRefused'
  while (!received.some(({ alerts }) => alerts.some(isTold)) && Date.now() < deadline) await sleep(250)
  const told = received.find(({ alerts }) => alerts.some(isTold))
  assert.equal(told?.path, '/hooks/page')
  const annotations = told?.alerts.find(isTold)?.annotations
  assert.equal(
    annotations?.['runbook_url'],
    'https://gatewright.dev/docs/runbooks/GatewrightAdminSignInsRefused',
  )
  assert.match(
    annotations?.['summary'] ?? '',
    /^A client failed so often at the control plane of 127\.0\.0\.1:\d+ /,
  )
})

test('figures are what the traffic was: waits, handshakes, budgets, sign-ins', async () => {
  const least = [
    'sum(gatewright_queue_wait_duration_seconds_count{result="served"})',
    'sum(gatewright_tls_handshakes_total{version="TLSv1.3",result="ok"})',
    'sum(gatewright_tls_handshakes_total{version="none",result="failed"})',
    'sum(gatewright_auth_attempts_total{method="admin_secret",result="bad_credential"})',
    'sum(gatewright_auth_attempts_total{method="admin_secret",result="ok"})',
    'sum(nodejs_eventloop_lag_seconds_count)',
    'sum(nodejs_gc_duration_seconds_count)',
    'gatewright_config_reload_timestamp_seconds > time() - 3600',
    'process_open_fds > 10 and process_open_fds < process_max_fds',
  ]
  for (const query of least) assert.ok(((await prometheus.query(query)) ?? 0) >= 1, query)
  const left = await prometheus.query(
    'gatewright_budget_remaining_ratio{limit="month",period="month",meter="cost"}',
  )
  assert.ok(left !== null && left > 0.5 && left <= 1, String(left))
  assert.equal(await prometheus.query('gatewright_budget_remaining_ratio{limit="few"}'), 0)
})
