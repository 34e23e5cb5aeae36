/** Starts a program of a measurement on a core and waits until it answers on a port. */
import { type ChildProcess, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { onCore } from './processes.ts'

export interface ChildProgram {
  readonly pid: number
  stop(): Promise<void>
}

export interface ChildProgramOptions {
  readonly core: number
  readonly command: readonly string[]
  /** Where it listens when it is up. */
  readonly port: number
  readonly environment?: Readonly<Record<string, string>>
  readonly folder: string
  readonly onOutput?: (text: string) => void
}

const startWithinMs = 20_000

/** @throws Error with the end of what the program wrote when it ends or does not listen in time */
export async function startChildProgram(options: ChildProgramOptions): Promise<ChildProgram> {
  const [program, args] = onCore(options.core, options.command)
  const child = spawn(program, args, {
    cwd: options.folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: options.folder, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let written = ''
  const keep = (chunk: Buffer): void => {
    const text = chunk.toString('utf8')
    written = (written + text).slice(-4000)
    options.onOutput?.(text)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const deadline = Date.now() + startWithinMs
  while (!(await answers(options.port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`${options.command[0]} does not listen on ${options.port}:\n${written}`)
    }
    await sleep(50)
  }
  // `taskset` becomes the program that it starts, so the process id is the program's own.
  return { pid: child.pid ?? 0, stop: () => endChild(child) }
}

function endChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    const hard = setTimeout(() => child.kill('SIGKILL'), 3000)
    child.once('exit', () => {
      clearTimeout(hard)
      resolve()
    })
    child.kill('SIGTERM')
  })
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
