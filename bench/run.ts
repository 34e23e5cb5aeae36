/**
 * The benchmark: nginx, Portkey, the bare gateway and the product as shipped, measured in one run on the same cores
 * with the same loads. The measured process has core 1 to itself, load and upstream share core 0; the order changes
 * from repeat to repeat; a figure is the median of the repeats, and a ratio is taken within each repeat.
 *
 *   npm run bench [-- --quick] [--only throughput,latency] [--repeats 3] [--json FILE]
 *
 * Exit code 1 where a floor of claims.ts is missed.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { issueServerCertificate } from '../src/adapters/local-authority/issue.ts'
import { projectRoot } from '../tools/pinned-node.mjs'
import { type Claim, claims } from './claims.ts'
import { type Figures, type Lengths, type Measurement, measurements } from './load/measurements.ts'
import { startMockUpstream } from './load/mock-upstream.ts'
import { startNginxMock, startNginxProxy } from './load/nginx.ts'
import { startBare, startLimited, startShipped } from './load/ours.ts'
import { startPortkey } from './load/portkey.ts'
import { canPin, loadCore, moveToCore, raisePriority } from './load/processes.ts'
import { median, rounded } from './load/statistics.ts'
import {
  chatPath,
  type Mocks,
  type Started,
  type System,
  type SystemName,
  systemNames,
} from './load/system.ts'

/** One repeat: measurement → system → figures. */
type Repeat = Record<string, Partial<Record<SystemName, Figures>>>

interface Row {
  readonly claim: string
  readonly target: string
  readonly measured: number
  readonly unit: string
  /** Null: nothing is asked of it. */
  readonly ok: boolean | null
}

const full: Lengths = { wrkSeconds: 4, openLoopMs: 3000, windowMs: 3000 }
const quick: Lengths = { wrkSeconds: 1, openLoopMs: 1000, windowMs: 1000 }

async function issueCertificate() {
  const issued = await issueServerCertificate({
    authority: null,
    hostnames: ['localhost', '127.0.0.1'],
    now: Date.now(),
    authorityDays: 2,
    serverDays: 2,
  })
  const { certificate, privateKey } = issued.server
  return { authority: issued.authority.certificate, certificate, privateKey }
}

/** Starts what is asked for; `stops` gets the way to end each. */
async function startAll(
  folder: string,
  stops: (() => Promise<unknown>)[],
  wanted: ReadonlySet<SystemName>,
): Promise<System[]> {
  const started = async (
    names: readonly SystemName[],
    start: () => Promise<Started>,
  ): Promise<readonly System[]> => {
    if (!names.some((name) => wanted.has(name))) return []
    const { systems, stop } = await start()
    stops.push(stop)
    return systems.filter(({ name }) => wanted.has(name))
  }
  const nginxMock = await startNginxMock(folder)
  stops.push(nginxMock.stop)
  const mock = await startMockUpstream()
  stops.push(mock.stop)
  const mocks: Mocks = { unaryPort: nginxMock.port, streamPort: mock.port }
  const endpoint = (port: number) => ({ port, authority: null, headers: {}, path: chatPath })
  return [
    { name: 'direct', unary: endpoint(mocks.unaryPort), stream: endpoint(mocks.streamPort), pid: null },
    ...(await started(['nginx', 'nginx-tls'], async () =>
      startNginxProxy(folder, mocks, await issueCertificate()),
    )),
    ...(await started(['portkey'], () => startPortkey(folder, mocks))),
    ...(await started(['bare'], () => startBare(folder, mocks))),
    ...(await started(['shipped', 'shipped-tls'], () => startShipped(mocks))),
    ...(await started(['limited'], () => startLimited(mocks))),
  ]
}

/** Compiled code is what runs in production: every system but the direct way gets the same start. */
async function warmUp(systems: readonly System[], lengths: Lengths): Promise<void> {
  console.log('warming up')
  for (const system of systems) {
    if (system.pid === null) continue
    for (const measurement of measurements.filter(({ warms }) => warms))
      await measurement.run(system, lengths)
  }
}

async function measureOne(measurement: Measurement, system: System, lengths: Lengths): Promise<Figures> {
  try {
    return await measurement.run(system, lengths)
  } catch (cause) {
    throw new Error(`${measurement.name} of ${system.name} could not be measured`, { cause })
  }
}

/** Every measurement of every system once; each repeat begins with another system. */
async function measureAll(
  systems: readonly System[],
  chosen: readonly Measurement[],
  options: { readonly turn: number; readonly lengths: Lengths },
): Promise<Repeat> {
  const repeat: Repeat = {}
  for (const measurement of chosen) {
    const taking = systems.filter((system) => measurement.systems.includes(system.name))
    const shift = (options.turn * 2) % taking.length
    const figures: Partial<Record<SystemName, Figures>> = {}
    for (const system of [...taking.slice(shift), ...taking.slice(0, shift)]) {
      figures[system.name] = await measureOne(measurement, system, options.lengths)
    }
    repeat[measurement.name] = figures
  }
  return repeat
}

function rowOf(claim: Claim, repeats: readonly Repeat[]): Row {
  const values = repeats.map((repeat) =>
    claim.measure((measurement, system, figure) => repeat[measurement]?.[system]?.[figure] ?? Number.NaN),
  )
  const measured = rounded(median(values))
  const { target, unit } = claim
  const ok =
    target === null ? null : target.sign === '≥' ? measured >= target.limit : measured <= target.limit
  return {
    claim: claim.name,
    target: target === null ? '' : `${target.sign} ${target.limit}`,
    measured,
    unit,
    ok,
  }
}

function print(rows: readonly Row[]): void {
  const width = Math.max(...rows.map((row) => row.claim.length))
  console.log(`\n${'claim'.padEnd(width)}  ${'target'.padEnd(8)} ${'measured'.padStart(10)}`)
  for (const row of rows) {
    const verdict = row.ok === null ? '' : row.ok ? 'ok' : 'SHORT'
    console.log(
      `${row.claim.padEnd(width)}  ${row.target.padEnd(8)} ${String(row.measured).padStart(10)} ${row.unit.padEnd(3)} ${verdict}`,
    )
  }
}

interface Options {
  readonly chosen: readonly Measurement[]
  readonly systems: ReadonlySet<SystemName>
  readonly lengths: Lengths
  readonly repeats: number
  readonly json: string
}

function atLeastOne(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It takes a whole number above 0.')
  return value
}

function readOptions(): Options {
  const names = measurements.map((each) => each.name)
  const program = new Command('npm run bench --')
    .description(
      'Measures nginx, Portkey and Gatewright in one run on the same cores. Exit code 1 where a floor is missed.',
    )
    .option('--only <measurements>', `some of ${names.join(', ')}, separated by commas`)
    .option('--systems <names>', `some of ${systemNames.join(', ')}; figures that need others are left out`)
    .option('--repeats <count>', 'repeats of everything; 3, or 1 with --quick', atLeastOne)
    .option(
      '--json <file>',
      'where every figure of every repeat goes',
      join(projectRoot, 'tmp', 'bench.json'),
    )
    .option('--quick', 'short: to see that everything runs', false)
  program.parse()
  const values = program.opts<{
    only?: string
    systems?: string
    repeats?: number
    json: string
    quick: boolean
  }>()
  const only = values.only?.split(',') ?? names
  const systems = values.systems?.split(',') ?? [...systemNames]
  const unknown = [
    ...only.filter((name) => !names.includes(name)),
    ...systems.filter((name) => !systemNames.some((known) => known === name)),
  ]
  if (unknown.length > 0)
    program.error(`error: no measurement or system is called ${unknown.join(', ')}; try --help`)
  return {
    systems: new Set(systemNames.filter((name) => systems.includes(name))),
    chosen: measurements.filter((each) => only.includes(each.name)),
    lengths: values.quick ? quick : full,
    repeats: values.repeats ?? (values.quick ? 1 : 3),
    json: resolve(values.json),
  }
}

async function main(): Promise<boolean> {
  const options = readOptions()
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const stops: (() => Promise<unknown>)[] = []
  const repeats: Repeat[] = []
  moveToCore(process.pid, loadCore)
  if (!raisePriority())
    console.log('Not permitted to raise the priority: other work disturbs the figures more.')
  if (!canPin) console.log('This machine cannot pin processes to cores: load and gateways share them.')
  try {
    const systems = await startAll(folder, stops, options.systems)
    await warmUp(systems, options.lengths)
    for (let turn = 0; turn < options.repeats; turn += 1) {
      console.log(`repeat ${turn + 1} of ${options.repeats}`)
      repeats.push(await measureAll(systems, options.chosen, { turn, lengths: options.lengths }))
    }
  } finally {
    for (const stop of stops.reverse()) await stop()
    rmSync(folder, { recursive: true, force: true })
  }
  const rows = claims.map((claim) => rowOf(claim, repeats)).filter((row) => !Number.isNaN(row.measured))
  print(rows)
  mkdirSync(dirname(options.json), { recursive: true })
  const loads = options.chosen.map(({ name, does }) => ({ name, does }))
  writeFileSync(options.json, `${JSON.stringify({ loads, rows, repeats }, null, 2)}\n`)
  return rows.every((row) => row.ok !== false)
}

process.exitCode = (await main()) ? 0 : 1
