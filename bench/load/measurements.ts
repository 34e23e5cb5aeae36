/**
 * One measurement each: a load on one system, and the figures that it gives. All figures are plain numbers by name,
 * so that repeats can be put together without knowing what they mean.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { largeBody, smallBody, streamBody } from './bodies.ts'
import { holdStreams } from './hold-streams.ts'
import { runOpenLoop } from './open-loop.ts'
import { cpuSeconds, residentMegabytes } from './processes.ts'
import { runWrk } from './run-wrk.ts'
import { percentile } from './statistics.ts'
import { type System, type SystemName, systemNames } from './system.ts'

export type Figures = Readonly<Record<string, number>>

/** `full` for figures that count, `quick` to see that everything runs. */
export interface Lengths {
  readonly wrkSeconds: number
  readonly openLoopMs: number
  readonly windowMs: number
}

export interface Measurement {
  readonly name: string
  /** What is done, for the guide. */
  readonly does: string
  readonly systems: readonly SystemName[]
  /** Run once before the measurements, its figures thrown away. */
  readonly warms: boolean
  run(system: System, lengths: Lengths): Promise<Figures>
}

const gateways = systemNames.filter((name) => name !== 'direct')

async function openLoop(
  system: System,
  load: { readonly body: string; readonly perSecond: number; readonly stream: boolean },
  durationMs: number,
): Promise<Figures> {
  const { body, perSecond } = load
  const endpoint = load.stream ? system.stream : system.unary
  const { latencies, failed } = await runOpenLoop({ endpoint, body, perSecond, durationMs })
  if (failed > 0) throw new Error(`${failed} requests through ${system.name} failed`)
  return { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) }
}

const throughput: Measurement = {
  name: 'throughput',
  warms: true,
  does: '64 keep-alive connections, prompts and answers of 1 KB, as many requests as come back (wrk)',
  systems: gateways,
  async run(system, { wrkSeconds }) {
    const before = system.pid === null ? 0 : cpuSeconds(system.pid)
    const result = await runWrk(system.unary, { body: smallBody, connections: 64, seconds: wrkSeconds })
    if (system.pid === null) return { perSecond: result.perSecond }
    return {
      perSecond: result.perSecond,
      cpuPerRequestUs: ((cpuSeconds(system.pid) - before) / result.requests) * 1e6,
      residentMb: residentMegabytes(system.pid),
    }
  },
}

const latency: Measurement = {
  name: 'latency',
  warms: false,
  does: '300 requests/s at fixed times (open loop), prompts and answers of 1 KB',
  systems: systemNames,
  run: (system, { openLoopMs }) =>
    openLoop(system, { body: smallBody, perSecond: 300, stream: false }, openLoopMs),
}

const firstByte: Measurement = {
  name: 'first-byte',
  warms: true,
  does: '100 streams/s at fixed times, time to the first byte of the body',
  systems: systemNames,
  run: (system, { openLoopMs }) =>
    openLoop(system, { body: streamBody(3, 4), perSecond: 100, stream: true }, openLoopMs),
}

const largePrompt: Measurement = {
  name: 'large-prompt',
  warms: false,
  does: '50 requests/s at fixed times, prompts of 100 KB',
  systems: systemNames,
  run: (system, { openLoopMs }) =>
    openLoop(system, { body: largeBody, perSecond: 50, stream: true }, openLoopMs),
}

/** Portkey needs 182 µs a chunk: 400 streams would keep four cores busy. */
const portkeyStreams = 50
const fullStreams = 400
const chunkEveryMs = 20

const chunks: Measurement = {
  name: 'chunks',
  warms: true,
  does: `${fullStreams} streams at once (Portkey: ${portkeyStreams}), 50 chunks/s each`,
  systems: gateways,
  async run(system, { windowMs }) {
    const { pid } = system
    if (pid === null) throw new TypeError('nothing relays the chunks')
    let cpu = 0
    let seconds = 0
    const result = await holdStreams({
      endpoint: system.stream,
      streams: system.name === 'portkey' ? portkeyStreams : fullStreams,
      chunks: 100_000,
      everyMs: chunkEveryMs,
      toTheEnd: false,
      window: async () => {
        const before = cpuSeconds(pid)
        const began = performance.now()
        await sleep(windowMs)
        cpu = cpuSeconds(pid) - before
        seconds = (performance.now() - began) / 1000
      },
    })
    if (result.broken > 0) throw new Error(`${result.broken} streams through ${system.name} broke`)
    const p50 = percentile(result.delaysUs, 0.5) / 1000
    const p99 = percentile(result.delaysUs, 0.99) / 1000
    return {
      cpuPerChunkUs: (cpu / result.chunks) * 1e6,
      perSecond: result.chunks / seconds,
      delayP50Ms: p50,
      delayP99Ms: p99,
      jitterMs: p99 - p50,
    }
  },
}

export const measurements: readonly Measurement[] = [throughput, latency, firstByte, largePrompt, chunks]
