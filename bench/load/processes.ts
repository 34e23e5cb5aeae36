/**
 * Processes of a measurement: on which core they run, and what they have consumed. Linux only (`taskset`, `/proc`);
 * on a machine with one core nothing is pinned.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { availableParallelism, setPriority } from 'node:os'

/** Core of load and upstream, core of what is measured. */
export const loadCore = 0
export const gatewayCore = 1
export const canPin = process.platform === 'linux' && availableParallelism() > 1

/** Program and arguments that start `command` on `core`. It takes over the priority of this process. */
export function onCore(core: number, command: readonly string[]): readonly [string, readonly string[]] {
  const [program = '', ...args] = command
  return canPin ? ['taskset', ['-c', String(core), program, ...args]] : [program, args]
}

/** Move a running process, all its threads, to `core`. */
export function moveToCore(pid: number, core: number): void {
  if (canPin) execFileSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' })
}

const raisedPriority = -15
/** Linux schedules sessions against each other before it looks at priorities within one. */
const sessionPriority = '/proc/self/autogroup'

/**
 * Put this process, and all that it starts, before other work of the machine, so that it disturbs less what is
 * measured; all systems alike. The session is put back at the end of this process. False where not permitted.
 */
export function raisePriority(): boolean {
  try {
    for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), raisedPriority)
    if (existsSync(sessionPriority)) {
      writeFileSync(sessionPriority, String(raisedPriority))
      process.once('exit', () => writeFileSync(sessionPriority, '0'))
    }
    return true
  } catch {
    return false
  }
}

/** Seconds of CPU that `pid` has consumed on all its threads (`/proc/<pid>/task/<tid>/schedstat`, nanoseconds). */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
    } catch {
      // the thread has ended meanwhile
    }
  }
  return nanoseconds / 1e9
}

/** Resident memory of `pid`, megabytes. */
export function residentMegabytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1] ?? Number.NaN) / 1024
}

/** A port of 127.0.0.1 that was free a moment ago, for programs that cannot be told to take any. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}
