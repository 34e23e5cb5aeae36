/** A real Prometheus that scrapes a product every second, and evaluates rules where it is given some. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import { requireSystemProgram } from '../../tools/system-packages.ts'
import type { Product } from './product.ts'

export interface PrometheusOptions {
  /** Rule files; they are evaluated every second. */
  readonly rules?: readonly string[]
  /** `host:port` of an Alertmanager. */
  readonly alertmanager?: string
}

export interface Prometheus {
  /** The first value; null: there is none. */
  query(text: string): Promise<number | null>
  /** HTTP status, and how many series the answer has. */
  ask(text: string): Promise<{ readonly status: number; readonly series: number }>
  /** Data of another endpoint of the API, as `rules`. */
  get(path: string): Promise<unknown>
  stop(): Promise<void>
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Copies of rule files with an interval of a second. */
function copyRules(directory: string, files: readonly string[]): readonly string[] {
  return files.map((file) => {
    const { groups } = parse(readFileSync(file, 'utf8')) as { readonly groups: readonly object[] }
    const copy = join(directory, basename(file))
    writeFileSync(copy, stringify({ groups: groups.map((group) => ({ ...group, interval: '1s' })) }))
    return copy
  })
}

const readyWithinMs = 30_000

/** It answers 503 while it opens its files. */
async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + readyWithinMs
  while ((await fetch(url).catch(() => null))?.status !== 200 && Date.now() < deadline) await sleep(100)
}

interface QueryAnswer {
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] }
}

export async function startPrometheus(
  { control, adminToken }: Product,
  { rules = [], alertmanager }: PrometheusOptions = {},
): Promise<Prometheus> {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-prometheus-'))
  const port = await freePort()
  const job = {
    job_name: 'gatewright',
    static_configs: [{ targets: [new URL(control).host] }],
    authorization: { credentials: adminToken },
  }
  const file = join(directory, 'prometheus.yml')
  writeFileSync(
    file,
    stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      scrape_configs: [job],
      rule_files: copyRules(directory, rules),
      ...(alertmanager === undefined
        ? {}
        : { alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] } }),
    }),
  )
  const child = spawn(
    requireSystemProgram('prometheus'),
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { cwd: directory, stdio: 'ignore' },
  )
  await untilReady(`http://127.0.0.1:${port}/-/ready`)
  const api = `http://127.0.0.1:${port}/api/v1`
  const asked = (text: string): Promise<Response | null> =>
    fetch(`${api}/query`, { method: 'POST', body: new URLSearchParams({ query: text }) }).catch(() => null)
  return {
    async query(text) {
      const answer = await asked(text)
      if (answer?.status !== 200) return null
      const { data } = (await answer.json()) as QueryAnswer
      const found = data.result[0]?.value[1]
      return found === undefined ? null : Number(found)
    },
    async ask(text) {
      const answer = await asked(text)
      if (answer?.status !== 200) return { status: answer?.status ?? 0, series: 0 }
      const { data } = (await answer.json()) as QueryAnswer
      return { status: 200, series: data.result.length }
    },
    async get(path) {
      const answer = await fetch(`${api}/${path}`)
      return ((await answer.json()) as { readonly data: unknown }).data
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
