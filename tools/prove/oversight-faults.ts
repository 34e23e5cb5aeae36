/**
 * What receivers, disks and clocks do to events: a receiver that is away for minutes, one that fails three calls and items
 * in ten, a disk that is full, a clock that jumps. Each time the exact set arrives.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { BulkFaults } from '../../test/fixtures/bulk/bulk-server.ts'
import { type OversightRun, settledRows, withRun } from './oversight-run.ts'
import { atLeast, atMost, type ProofOptions, type ProofRow } from './slice.ts'

/** Starts, arrivals and whatever else a run takes besides its load. */
const baseMs = 900_000
const quickOutageMs = 15_000
const none = { limit: 0, unit: '' }
/** A pace that ten minutes of do not fill memory with. */
const calm = { callers: 2, pauseMs: 50 }

/** Load for so long, and what came of it. */
async function loadFor(run: OversightRun, ms: number, pace = {}): Promise<void> {
  const signal = AbortSignal.timeout(ms)
  await run.load(signal, pace)
}

/** Answers that were neither what was asked for nor the refusal that was asked for, and connections that broke. */
const wrongAnswers = ({ answers, broken }: OversightRun): number =>
  [...answers].reduce((sum, [status, count]) => sum + (status === 200 || status === 404 ? 0 : count), broken)

async function proveOutage({ quick, outageMinutes, say }: ProofOptions): Promise<readonly ProofRow[]> {
  const awayMs = quick ? Math.min(outageMinutes * 60_000, quickOutageMs) : outageMinutes * 60_000
  const name = `receiver away for ${Math.round(awayMs / 1000)} s`
  say(`  ${name}`)
  return withRun({ withinMs: baseMs + awayMs }, async (run) => {
    await run.start()
    await loadFor(run, 2000, calm)
    await run.bulk.setAway(true)
    const before = run.bulk.documents.size
    await loadFor(run, awayMs, calm)
    const meanwhile = run.bulk.documents.size - before
    await run.bulk.setAway(false)
    const settled = await run.settle()
    return [
      atMost(`${name}: requests that failed for it`, wrongAnswers(run), none),
      atMost(`${name}: events that arrived meanwhile`, meanwhile, none),
      ...settledRows(name, settled),
    ]
  })
}

const failing = 0.3
const statuses = [429, 500, 502, 503] as const
const oneOf = <T>(values: readonly T[]): T | undefined => values[Math.floor(Math.random() * values.length)]

/** Three in ten calls fail, and three in ten items of the others; each in one of several ways. */
function failingOften(): { readonly faults: BulkFaults; readonly failed: () => readonly [number, number] } {
  const failed: [calls: number, items: number] = [0, 0]
  const faults: BulkFaults = {
    call() {
      if (Math.random() >= failing) return null
      failed[0] += 1
      return oneOf([...statuses.map((status) => ({ status })), 'reset', 'lost'] as const) ?? 'reset'
    },
    item() {
      if (Math.random() >= failing) return null
      failed[1] += 1
      return oneOf([429, 503]) ?? 503
    },
  }
  return { faults, failed: () => failed }
}

async function proveFailing({ quick, say }: ProofOptions): Promise<readonly ProofRow[]> {
  const name = '30 % of calls and items fail'
  say(`  ${name}`)
  const { faults, failed } = failingOften()
  return withRun({ withinMs: baseMs, faults }, async (run) => {
    await run.start()
    await loadFor(run, quick ? 5000 : 60_000, { callers: 4, pauseMs: 20 })
    const settled = await run.settle()
    const [calls, items] = failed()
    return [
      atLeast(`${name}: calls that failed`, calls, { limit: 3, unit: '' }),
      atLeast(`${name}: items that failed`, items, { limit: 30, unit: '' }),
      ...settledRows(name, settled),
    ]
  })
}

const diskMegabytes = 64

/** A file system of its own for the data directory, as small as it says. Needs root on Linux. */
function mountSmallDisk(directory: string): () => void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMegabytes}m,mode=0700`, 'tmpfs', directory])
  const unmount = (): void => {
    process.off('exit', unmount)
    // Lazily: a process that was killed a moment ago may still hold files.
    execFileSync('umount', ['-l', directory])
  }
  process.once('exit', unmount)
  return unmount
}

/** Writes until there is not a byte left. */
function fillDisk(file: string): void {
  const handle = openSync(file, 'a')
  try {
    for (let piece = 1_048_576; piece >= 1; ) {
      try {
        writeSync(handle, Buffer.alloc(piece))
      } catch {
        piece = piece === 1 ? 0 : Math.max(1, piece >> 4)
      }
    }
  } finally {
    closeSync(handle)
  }
}

async function proveFullDisk({ quick, say }: ProofOptions): Promise<readonly ProofRow[]> {
  const name = 'full disk'
  say(`  ${name}`)
  return withRun({ withinMs: baseMs }, async (run) => {
    const unmount = mountSmallDisk(run.dataDirectory)
    try {
      await run.start()
      await loadFor(run, 2000)
      const ballast = join(run.dataDirectory, 'ballast')
      fillDisk(ballast)
      const refusedBefore = wrongAnswers(run)
      await loadFor(run, quick ? 12_000 : 60_000)
      const refused = wrongAnswers(run) - refusedBefore
      rmSync(ballast)
      // It takes a moment until what waits is written, and requests are taken again.
      await sleep(3000)
      const servedBefore = run.answers.get(200) ?? 0
      await loadFor(run, 5000)
      const served = (run.answers.get(200) ?? 0) - servedBefore
      const settled = await run.settle()
      return [
        atLeast(`${name}: requests refused for it`, refused, { limit: 1, unit: '' }),
        atLeast(`${name}: requests served once there is room`, served, { limit: 20, unit: '' }),
        ...settledRows(name, settled),
      ]
    } finally {
      await run.kill()
      unmount()
    }
  })
}

const hourMs = 3_600_000
const jumpsMs = [26 * hourMs, -3 * hourMs, 0]

/** A module that moves the wall clock of each thread by what a file says, as a step of the system's clock does. */
const movedClock = (file: string): string => `
import { readFileSync } from 'node:fs'
const { now } = Date
let offset = 0
setInterval(() => {
  try { offset = Number(readFileSync(${JSON.stringify(file)}, 'utf8')) || 0 } catch {}
}, 50).unref()
globalThis.Date = class extends Date {
  constructor(...args) { if (args.length === 0) super(now() + offset); else super(...args) }
  static now() { return now() + offset }
}
`

async function proveClockJumps({ quick, say }: ProofOptions): Promise<readonly ProofRow[]> {
  const name = 'clock jumps'
  say(`  ${name}`)
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-clock-'))
  const offsetFile = join(folder, 'offset')
  const module = join(folder, 'moved-clock.mjs')
  writeFileSync(module, movedClock(offsetFile))
  const environment = { NODE_OPTIONS: `--import ${pathToFileURL(module).href}` }
  try {
    return await withRun({ withinMs: baseMs, environment }, async (run) => {
      await run.start()
      await loadFor(run, 2000)
      for (const jumpMs of jumpsMs) {
        writeFileSync(offsetFile, String(jumpMs))
        await loadFor(run, quick ? 3000 : 15_000)
      }
      const settled = await run.settle()
      const latest = run.fileEvents().events.reduce((most, { time }) => Math.max(most, time), 0)
      const ahead = Math.floor((latest - Date.now()) / hourMs)
      return [
        atLeast(`${name}: the latest event is ahead of now by`, ahead, { limit: 25, unit: 'h' }),
        atMost(`${name}: requests that failed for it`, wrongAnswers(run), none),
        ...settledRows(name, settled),
      ]
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function proveFaults(options: ProofOptions): Promise<readonly ProofRow[]> {
  return [
    ...(await proveOutage(options)),
    ...(await proveFailing(options)),
    ...(await proveFullDisk(options)),
    ...(await proveClockJumps(options)),
  ]
}
