/**
 * Attacks on a started product by programs made for it (`slowhttptest`, `h2load`, ours), and what good
 * clients see meanwhile. Used short by a test and long by `npm run prove`.
 *
 * Assumes the product on loopback. Good clients ask at a fixed rate, whatever the answers do, over plain HTTP/1.1 and
 * over TLS; each latency counts from the moment when the request was due, so that a stall is charged to all it delays.
 * Where a program is not installed, one of ours does the same.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../bench/load/call.ts'
import { type OpenLoopResult, runOpenLoop } from '../../bench/load/open-loop.ts'
import { loadCore, onCore } from '../../bench/load/processes.ts'
import { percentile } from '../../bench/load/statistics.ts'
import { findSystemProgram } from '../../tools/system-packages.ts'
import type { Product } from '../journeys/product.ts'
import type { Trickle } from './hold-sockets.ts'

/** Bounds of the product under attack: short, so that a short attack meets them. */
export const attackedBounds = {
  headerTimeoutMs: 3000,
  handshakeTimeoutMs: 3000,
  bodyTimeoutMs: 5000,
  bodyGraceMs: 3000,
  idleTimeoutMs: 5000,
  replyStallTimeoutMs: 3000,
} as const

export interface AttackTarget {
  readonly http: string
  readonly https: string
  readonly apiKey: string
}

export interface Attack {
  readonly name: string
  /** Begin, and resolve when it has lasted for so long. What it says about itself, if anything. */
  run(target: AttackTarget, size: AttackSize): Promise<string>
}

export interface AttackSize {
  readonly seconds: number
  readonly connections: number
}

const modelsPath = '/v1/models'

/** Connections that trickle, by a program of ours. */
function held(name: Trickle): Attack {
  const program = fileURLToPath(new URL('hold-sockets.ts', import.meta.url))
  return {
    name,
    run({ http, apiKey }, { seconds, connections }) {
      const { port } = new URL(http)
      const own = [name, port, String(seconds), String(connections), apiKey]
      return runProgram([process.execPath, program, ...own], seconds)
    },
  }
}

/** A slow attack of `slowhttptest`, or ours in its place. */
function slow(name: Trickle, mode: readonly string[]): Attack {
  return {
    name,
    run(target, size) {
      const { seconds, connections } = size
      const program = findSystemProgram('slowhttptest')
      if (program === undefined) return held(name).run(target, size)
      const rate = String(Math.max(50, Math.ceil(connections / 2)))
      const common = ['-c', String(connections), '-r', rate, '-l', String(seconds), '-p', '3', '-v', '1']
      return runProgram([program, ...mode, ...common, '-u', `${target.http}${modelsPath}`], seconds)
    },
  }
}

export const slowAttacks: readonly Attack[] = [
  slow('slowloris', ['-H', '-i', '1', '-x', '10']),
  slow('slow body', ['-B', '-i', '1', '-s', '8192', '-x', '10']),
  slow('slow read', ['-X', '-w', '10', '-y', '20', '-n', '1', '-z', '5', '-k', '10']),
  slow('range', ['-R', '-a', '10', '-b', '3000']),
]

/** A body that drips behind a valid key, so that the gateway does wait for it. */
export const slowAuthenticatedBody = held('slow body with a valid key')

export const rapidResets: Attack = {
  name: 'rapid reset',
  run({ https }, { seconds }) {
    const program = fileURLToPath(new URL('rapid-reset.ts', import.meta.url))
    return runProgram([process.execPath, program, new URL(https).port, String(seconds), '8'], seconds)
  },
}

/** Requests of strangers at a fixed rate on connections with many streams each. */
export const strangersStreams: Attack = {
  name: 'h2load',
  async run(target, { seconds }) {
    const program = findSystemProgram('h2load')
    if (program === undefined) return rapidResets.run(target, { seconds, connections: 8 })
    const load = ['-c', '20', '-m', '100', '-t', '1', '--rps', '50', '-D', String(seconds)]
    return runProgram([program, ...load, `${target.https}${modelsPath}`], seconds)
  },
}

/** Below everything else on the core of the load, so that the attack does not slow down who measures. */
async function runProgram(command: readonly string[], seconds: number): Promise<string> {
  const [program, args] = onCore(loadCore, ['nice', '-n', '19', ...command])
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  const collect = (chunk: Buffer): void => {
    said = (said + chunk.toString('utf8')).slice(-20_000)
  }
  child.stdout?.on('data', collect)
  child.stderr?.on('data', collect)
  const ended = new Promise((resolve, reject) => {
    child.once('exit', resolve)
    child.once('error', reject)
  })
  const hard = setTimeout(() => child.kill('SIGKILL'), (seconds + 3) * 1000)
  await ended
  clearTimeout(hard)
  return said
}

export interface GoodClients {
  /** 99 of 100 requests are answered within, milliseconds. */
  readonly p99Ms: number
  readonly served: number
  readonly failed: number
}

const body = JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'Hello' }] })

/** What clients see that ask `perSecond` times a second, half of them over TLS. */
export async function serveGoodClients(
  product: Product,
  load: { readonly seconds: number; readonly perSecond: number },
): Promise<GoodClients> {
  const endpoint = (origin: string, authority: string | null): Endpoint => ({
    port: Number(new URL(origin).port),
    authority,
    headers: { authorization: `Bearer ${product.apiKey}` },
    path: '/v1/chat/completions',
  })
  const durationMs = load.seconds * 1000
  const results: readonly OpenLoopResult[] = await Promise.all(
    [endpoint(product.http, null), endpoint(product.https, product.authority)].map((each) =>
      runOpenLoop({ endpoint: each, body, perSecond: load.perSecond / 2, durationMs }),
    ),
  )
  const latencies = results.flatMap((result) => result.latencies)
  return {
    p99Ms: percentile(latencies, 0.99),
    served: latencies.length,
    failed: results.reduce((sum, result) => sum + result.failed, 0),
  }
}

/** Open descriptors of the product: connections are among them. */
export function openDescriptors(product: Product): number {
  return readdirSync(`/proc/${product.process.pid ?? 0}/fd`).length
}
