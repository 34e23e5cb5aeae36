/** What oversight costs: events to the spool, all telemetry of a request on the worker, label values without end. */
import { join } from 'node:path'
import { gatewayCore, onCore } from '../../bench/load/processes.ts'
import { projectRoot } from '../pinned-node.mjs'
import { runProgram } from '../run-program.ts'
import { atLeast, atMost, type ProofOptions, type ProofRow } from './slice.ts'

const longestMinutes = 10

interface SpoolFigures {
  readonly spooledPerSecond: number
  readonly spooledMicroseconds: number
  readonly deliveredPerSecond: number
}

interface TelemetryFigures {
  readonly pairs: number
  readonly metricsMicroseconds: number
  readonly tracesMicroseconds: number
  readonly recordMicroseconds: number
  readonly untracedMicroseconds: number
  readonly allMicroseconds: number
}

interface LabelFigures {
  readonly values: number
  readonly sets: number
  readonly cap: number
  readonly counted: number
  readonly mostMegabytes: number
  readonly expositionKilobytes: number
}

/** A program of `bench/micro` on one core; it says what it found in one line of JSON. @throws where it says nothing */
async function runMicro<Figures>(name: string, ...args: readonly string[]): Promise<Figures> {
  const program = [process.execPath, '--expose-gc', join(projectRoot, 'bench/micro', `${name}.ts`), ...args]
  // `timeout` ends it with its children: a benchmark that hangs ends as one that says nothing.
  const [file, rest] = onCore(gatewayCore, ['timeout', '-k', '5', `${longestMinutes * 60}`, ...program])
  const run = await runProgram(file, rest, { cwd: projectRoot })
  if (run.stdout.trim() === '') throw new Error(`bench/micro/${name}.ts says nothing: ${run.stderr.trim()}`)
  return JSON.parse(run.stdout) as Figures
}

const reported = (claim: string, measured: number, unit: string): ProofRow => ({
  claim,
  target: '',
  measured,
  unit,
  ok: null,
})

export async function proveThroughput({ quick }: ProofOptions): Promise<readonly ProofRow[]> {
  const spool = await runMicro<SpoolFigures>('event-delivery', ...(quick ? ['40000'] : []))
  const telemetry = await runMicro<TelemetryFigures>('telemetry', ...(quick ? ['5'] : ['41']))
  const labels = await runMicro<LabelFigures>('label-values', ...(quick ? ['100000'] : []))
  const micro = { limit: 10, unit: 'µs' }
  return [
    atLeast('events to the spool, written and synced, on one core', spool.spooledPerSecond, {
      limit: 50_000,
      unit: '/s',
    }),
    reported('of the thread for each', spool.spooledMicroseconds, 'µs'),
    reported('events from the log to a sink that takes all', spool.deliveredPerSecond, '/s'),
    atMost('worker, telemetry of a request as shipped, with a sink', telemetry.untracedMicroseconds, micro),
    atMost('worker, all telemetry, every request traced, too', telemetry.allMicroseconds, micro),
    reported('metrics alone', telemetry.metricsMicroseconds, 'µs'),
    reported('a trace of every request alone', telemetry.tracesMicroseconds, 'µs'),
    reported('record for usage, access and security alone', telemetry.recordMicroseconds, 'µs'),
    reported('pairs with and without, of which the middle counts', telemetry.pairs, ''),
    atMost(`label sets after ${labels.values} random ones`, labels.sets, { limit: labels.cap, unit: '' }),
    {
      claim: 'of them counted, as their own or together',
      target: `= ${labels.values}`,
      measured: labels.counted,
      unit: '',
      ok: labels.counted === labels.values,
    },
    atMost('memory that they took at most', labels.mostMegabytes, { limit: 64, unit: 'MB' }),
    reported('a scrape afterwards', labels.expositionKilobytes, 'kB'),
  ]
}
