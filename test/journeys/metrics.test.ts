/** A real Prometheus scrapes a running product with two workers; its queries find what the requests did. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseExposition } from '../../src/telemetry/harness/parse-exposition.ts'
import { requireSystemProgram } from '../../tools/system-packages.ts'
import { type Product, startProduct } from './product.ts'
import { type Prometheus, startPrometheus } from './prometheus.ts'

const limits = [
  { name: 'hard', meter: 'requests', amount: 6, window: 'day', per: [], match: { users: ['ada'] } },
  { name: 'trial', meter: 'requests', amount: 2, window: 'day', per: [], mode: 'shadow' },
]
const secret = 'sk-live-4Hq9caller-secret-77aa'

async function ask({ http, apiKey }: Product, own: object): Promise<number> {
  const response = await fetch(`${http}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'Hello' }], ...own }),
  })
  await response.text()
  return response.status
}

/** The first answer that is `expected`, or the last one. */
async function settled(prometheus: Prometheus, query: string, expected: number): Promise<number | null> {
  const deadline = Date.now() + 20_000
  let found: number | null = null
  while (found !== expected && Date.now() < deadline) {
    found = await prometheus.query(query)
    if (found !== expected) await sleep(250)
  }
  return found
}

const ofModel = '{model="sandbox"}'
const expectations: readonly (readonly [string, number])[] = [
  ['up', 1],
  [`sum(gatewright_requests_total{model="sandbox",status="2xx",outcome="completed"})`, 8],
  [`sum(gatewright_requests_total{model="sandbox",status="4xx",outcome="refused"})`, 2],
  ['sum(gatewright_requests_total{model="other"})', 1],
  [`sum(gatewright_request_duration_seconds_count${ofModel})`, 10],
  ['sum(gatewright_upstream_attempts_total{outcome="ok"})', 8],
  ['sum(gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="chat"})', 8],
  ['gatewright_limit_decisions_total{limit="hard",mode="enforce",decision="refused"}', 2],
  ['gatewright_limit_decisions_total{limit="trial",mode="shadow",decision="exceeded"}', 6],
  ['sum(gatewright_target_state{state="in_use"})', 1],
  ['gatewright_workers_running', 2],
  ['count(gatewright_event_loop_utilization_ratio)', 2],
  ['gatewright_usage_held_bytes', 0],
  ['gatewright_usage_lag_seconds', 0],
  ['sum(gatewright_usage_records_total{result="summed"})', 11],
  ['gatewright_open_requests', 0],
  ['count(gatewright_build_info)', 1],
]

/** What promtool does not like. */
function complaintsAbout(text: string): string[] {
  const program = requireSystemProgram('promtool')
  const { stderr } = spawnSync(program, ['check', 'metrics'], { input: text, encoding: 'utf8' })
  return stderr.split('\n').filter((line) => line !== '')
}

/**
 * promtool reads OpenMetrics as the older format, where the help of a counter stands under its name with `_total`; it
 * finds nothing else. That Prometheus reads it as what it is, is seen by units, which the older format does not have.
 */
async function assertOpenMetrics({ control }: Product, prometheus: Prometheus): Promise<void> {
  const accept = 'application/openmetrics-text;version=1.0.0'
  const text = await (await fetch(`${control}/metrics`, { headers: { accept } })).text()
  const others = complaintsAbout(text).filter((line) => !/^\w+_total no help text$/.test(line))
  assert.deepEqual(others, [])
  const found = await prometheus.get('targets/metadata?metric=gatewright_request_duration_seconds')
  assert.deepEqual(
    (found as readonly { readonly unit: string }[]).map(({ unit }) => unit),
    ['seconds'],
  )
}

test('a Prometheus that scrapes the product finds requests, limits, targets and threads, and nothing secret', async () => {
  const product = await startProduct({
    config: { gateway: { workers: 2, http: { port: 0 }, https: { port: 0 } }, limits },
  })
  let prometheus: Prometheus | null = null
  try {
    for (let turn = 0; turn < 8; turn += 1) await ask(product, { user: 'ada' })
    for (let turn = 0; turn < 2; turn += 1) assert.equal(await ask(product, { user: 'grace' }), 200)
    assert.equal(await ask(product, { model: secret, user: secret }), 404)
    prometheus = await startPrometheus(product)
    for (const [query, expected] of expectations)
      assert.equal(await settled(prometheus, query, expected), expected, query)

    const scraped = await fetch(`${product.control}/metrics`)
    const text = await scraped.text()
    const names = parseExposition(text, 'prometheus').map(({ name }) => name)
    assert.ok(names.includes('process_resident_memory_bytes'))
    for (const hidden of [secret, product.apiKey, product.adminToken, 'grace', 'ada"'])
      assert.ok(!text.includes(hidden), hidden)
    assert.deepEqual(complaintsAbout(text), [])
    await assertOpenMetrics(product, prometheus)
    const strange = await fetch(`${product.control}/metrics`, {
      headers: { 'x-forwarded-for': '203.0.113.9' },
    })
    assert.equal(strange.status, 401)
  } finally {
    await prometheus?.stop()
    await product.stop()
  }
})
