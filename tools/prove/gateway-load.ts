/** Load on the product: the benchmark, 2,000 streams at once, and a soak. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { smallBody } from '../../bench/load/bodies.ts'
import { holdStreams } from '../../bench/load/hold-streams.ts'
import { startMockUpstream } from '../../bench/load/mock-upstream.ts'
import { runOpenLoop } from '../../bench/load/open-loop.ts'
import { productEndpoints, startBenchProduct } from '../../bench/load/ours.ts'
import { loadCore, moveToCore, residentMegabytes } from '../../bench/load/processes.ts'
import { percentile } from '../../bench/load/statistics.ts'
import { type SystemName, systemNames } from '../../bench/load/system.ts'
import { projectRoot } from '../pinned-node.mjs'
import { runNode } from '../run-program.ts'
import { memoryTrend } from './memory-trend.ts'
import { atMost, type ProofOptions, type ProofRow } from './slice.ts'

/** `npm run bench` of these systems in a process of its own, with `more` arguments. */
export async function runBench(
  { quick, say }: ProofOptions,
  systems: readonly SystemName[],
  more: readonly string[] = [],
): Promise<readonly ProofRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'prove-bench-'))
  const json = join(folder, 'bench.json')
  try {
    const args = [
      join(projectRoot, 'bench/run.ts'),
      '--json',
      json,
      '--systems',
      systems.join(','),
      ...more,
      ...(quick ? ['--quick'] : []),
    ]
    const run = await runNode(args, { cwd: projectRoot })
    say(run.stdout.trimEnd())
    const { rows } = JSON.parse(readFileSync(json, 'utf8')) as { rows: readonly ProofRow[] }
    return rows
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What limits cost is a proof of its own. */
export function proveBench(options: ProofOptions): Promise<readonly ProofRow[]> {
  return runBench(
    options,
    systemNames.filter((name) => name !== 'limited'),
  )
}

const manyStreams = 2000
const chunksOfOne = 60
const everyMs = 500

/** Streams at once, each read to its end. */
export async function proveManyStreams({ quick }: ProofOptions): Promise<readonly ProofRow[]> {
  moveToCore(process.pid, loadCore)
  const mock = await startMockUpstream()
  const product = await startBenchProduct({ unaryPort: mock.port, streamPort: mock.port })
  const pid = product.process.pid ?? 0
  let largest = 0
  const result = await holdStreams({
    endpoint: productEndpoints(product).tls,
    streams: manyStreams,
    chunks: quick ? 20 : chunksOfOne,
    everyMs,
    toTheEnd: true,
    window: async () => {
      for (let at = 0; at < 20; at += 1) {
        largest = Math.max(largest, residentMegabytes(pid))
        await sleep(250)
      }
    },
  })
  largest = Math.max(largest, residentMegabytes(pid))
  await product.stop()
  await mock.stop()
  const whole: ProofRow = {
    claim: `concurrent streams over TLS that arrive whole, of ${manyStreams}`,
    target: `= ${manyStreams}`,
    measured: result.ended,
    unit: '',
    ok: result.ended === manyStreams && result.broken === 0,
  }
  return [whole, atMost('resident memory with them', largest, { limit: 600, unit: 'MB' })]
}

const sampleEveryMs = 5000
const soakStreams = 40

/** Unary requests and streams without pause while memory is watched. */
async function soak(minutes: number): Promise<{ samples: number[]; requests: number; failed: number }> {
  const mock = await startMockUpstream()
  const product = await startBenchProduct({ unaryPort: mock.port, streamPort: mock.port })
  const pid = product.process.pid ?? 0
  const { plain, tls } = productEndpoints(product)
  const end = Date.now() + minutes * 60_000
  const samples: number[] = []
  let requests = 0
  let failed = 0
  const unary = async (): Promise<void> => {
    while (Date.now() < end) {
      const done = await runOpenLoop({ endpoint: plain, body: smallBody, perSecond: 60, durationMs: 10_000 })
      requests += done.latencies.length
      failed += done.failed
    }
  }
  const streams = async (): Promise<void> => {
    while (Date.now() < end) {
      const done = await holdStreams({
        endpoint: tls,
        streams: soakStreams,
        chunks: 80,
        everyMs: 100,
        toTheEnd: true,
        window: () => sleep(1000),
      })
      requests += done.ended
      failed += done.broken
    }
  }
  const watch = async (): Promise<void> => {
    while (Date.now() < end) {
      await sleep(sampleEveryMs)
      samples.push(residentMegabytes(pid))
    }
  }
  await Promise.all([unary(), streams(), watch()])
  await product.stop()
  await mock.stop()
  return { samples, requests, failed }
}

/** Growth in an hour, extrapolated; what is above it is a leak or must be explained. */
const growthPercentPerHour = 20
/** In shorter runs the heap is still finding its size: their slope is shown and proves nothing. */
const leastMinutes = 10

export async function proveSoak({ soakMinutes, quick }: ProofOptions): Promise<readonly ProofRow[]> {
  const minutes = quick ? 0.5 : soakMinutes
  const { samples, requests, failed } = await soak(minutes)
  const { from, to, percentPerHour } = memoryTrend(samples, sampleEveryMs)
  const none: ProofRow = {
    claim: `soak of ${minutes} minutes: requests and streams that failed, of ${requests}`,
    target: '= 0',
    measured: failed,
    unit: '',
    ok: failed === 0 && requests > 0,
  }
  const reported = (claim: string, value: number, unit = 'MB'): ProofRow => ({
    claim,
    target: '',
    measured: Number(value.toPrecision(3)),
    unit,
    ok: null,
  })
  const claim = 'soak: resident memory, growth an hour at the slope of the last three quarters'
  const trend =
    minutes < leastMinutes
      ? reported(`${claim} (too short to judge)`, percentPerHour, '%')
      : atMost(claim, percentPerHour, { limit: growthPercentPerHour, unit: '%' })
  return [
    none,
    trend,
    reported('soak: resident memory after the first quarter', from),
    reported('soak: resident memory at the end', to),
    reported('soak: resident memory, largest', percentile(samples, 1)),
  ]
}
