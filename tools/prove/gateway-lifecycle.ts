/** Starts, revocation and a fresh clone, measured on the product as a user runs it. */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { stringify } from 'yaml'
import { freePort } from '../../bench/load/processes.ts'
import { type Product, startProduct } from '../../test/journeys/product.ts'
import { askModel, openOnEachWorker } from '../../test/journeys/worker-streams.ts'
import { projectRoot } from '../pinned-node.mjs'
import { runProgram } from '../run-program.ts'
import { atMost, type ProofRow } from './slice.ts'

type Reached = Pick<Product, 'http' | 'apiKey'>

async function ask(
  target: Reached,
  body: object,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await askModel(target, body)
  return { status: response.statusCode, text: await response.body.text() }
}

/** Start, stop, start again: from the second start of the process to its first answer. */
export async function proveSecondStart(): Promise<readonly ProofRow[]> {
  const first = await startProduct()
  const { apiKey, directory } = first
  await first.stop({ keep: true })
  const began = performance.now()
  const second = await startProduct({ directory })
  const { status } = await ask({ http: second.http, apiKey }, {})
  const seconds = (performance.now() - began) / 1000
  await second.stop()
  const row = atMost('second start, to the first request served', seconds, { limit: 2, unit: 's' })
  return [{ ...row, ok: row.ok === true && status === 200 }]
}

function admin(product: Product, path: string, body: object | null) {
  return request(`${product.control}/api/v1/organizations/default/${path}`, {
    method: body === null ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${product.adminToken}`, 'content-type': 'application/json' },
    ...(body === null ? {} : { body: JSON.stringify(body) }),
  })
}

/** Milliseconds from the call that revokes a key, each the longest of all workers. */
interface Revocation {
  /** To the end of its streams under way. */
  readonly streams: number
  /** To the first refusal of each of several connections. */
  readonly requests: number
}

const workers = 2
const askers = 4

async function firstRefusal(target: Reached, began: number): Promise<number> {
  const agent = new Agent()
  const status = async (): Promise<number> => {
    const response = await askModel(target, {}, agent)
    await response.body.dump()
    return response.statusCode
  }
  try {
    while ((await status()) !== 401) {
      if (performance.now() - began > 5000) return Number.NaN
      await sleep(2)
    }
    return performance.now() - began
  } finally {
    await agent.destroy()
  }
}

async function revokeOnce(product: Product, application: string): Promise<Revocation> {
  const made = await admin(product, 'keys', { application, name: 'to be revoked' })
  const { key, secret } = (await made.body.json()) as { key: { id: string }; secret: string }
  const target = { ...product, apiKey: secret }
  const deadline = Date.now() + 5000
  while ((await ask(target, {})).status !== 200 && Date.now() < deadline) await sleep(20)
  const streams = await openOnEachWorker(target, workers, 'sandbox: chunk-delay=20ms\nsandbox: tokens=2000')
  const began = performance.now()
  const revoking = admin(product, `keys/${key.id}/revoke`, {}).then((response) => response.body.text())
  const refusals = await Promise.all(Array.from({ length: askers }, () => firstRefusal(target, began)))
  const ends = await Promise.all(streams.ends)
  await revoking
  await streams.close()
  const ended = ends.map(({ text, at }) => (text.includes('auth.key-revoked') ? at - began : Number.NaN))
  return { streams: Math.max(...ended), requests: Math.max(...refusals) }
}

const revocations = 5

export async function proveRevocation(): Promise<readonly ProofRow[]> {
  // Workers share a port only when they are told which.
  const listener = async () => ({ port: await freePort() })
  const gateway = { http: await listener(), https: await listener(), workers }
  const product = await startProduct({ config: { gateway } })
  const listed = await admin(product, 'applications', null)
  const { items } = (await listed.body.json()) as { items: readonly { slug: string }[] }
  const streams: number[] = []
  const requests: number[] = []
  for (let at = 0; at < revocations; at += 1) {
    const measured = await revokeOnce(product, items[0]?.slug ?? '')
    streams.push(measured.streams)
    requests.push(measured.requests)
  }
  await product.stop()
  const bound = { limit: 200, unit: 'ms' }
  const of = `on ${workers} workers (longest of ${revocations})`
  return [
    atMost(`revoked key: its streams under way end ${of}`, Math.max(...streams), bound),
    atMost(`revoked key: the next request is refused ${of}`, Math.max(...requests), bound),
  ]
}

const walkLimitMs = 180_000

/** A clone of what is committed, `npm start`, and the first answer. */
export async function proveFreshClone(): Promise<readonly ProofRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-clone-'))
  const clone = join(folder, 'gatewright')
  const began = performance.now()
  try {
    const cloned = await runProgram('git', ['clone', '--quiet', projectRoot, clone], { cwd: folder })
    if (cloned.code !== 0) throw new Error(`the clone failed: ${cloned.stderr}`)
    const config = join(folder, 'gatewright.yaml')
    const ports = () => ({ http: { port: 0 }, https: { port: 0 } })
    writeFileSync(config, stringify({ gateway: ports(), control: ports() }))
    const status = await startClone(clone, config)
    const row = atMost('fresh clone to first answer', (performance.now() - began) / 1000, {
      limit: walkLimitMs / 1000,
      unit: 's',
    })
    return [{ ...row, ok: row.ok === true && status === 200 }]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs `npm start` in `clone` until one request has been answered; resolves with its status. */
async function startClone(clone: string, config: string): Promise<number> {
  const child = spawn('npm', ['start', '--', '--config', config, '--data-dir', join(clone, 'data')], {
    cwd: clone,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-20_000)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  try {
    const deadline = Date.now() + walkLimitMs
    while (!output.includes('Try it') && child.exitCode === null && Date.now() < deadline) await sleep(50)
    if (!output.includes('Try it')) throw new Error(`the clone did not start: ${output.slice(-1000)}`)
    const http = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0] ?? ''
    const apiKey = /gwr_live_\w+/.exec(output)?.[0] ?? ''
    return (await ask({ http, apiKey }, {})).status
  } finally {
    // npm and the product are one process group of their own.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
    await ended
  }
}
