// Runs a program to its end and hands back what it wrote. For the repository's own tools; nothing
// of the product uses it. Bound: 64 MiB of output, then the program is stopped.

import { spawn } from 'node:child_process'

const outputMaxBytes = 64 * 1024 * 1024

/** What a program did: exit code (null when a signal ended it), text on stdout and on stderr. */
export type ProgramRun = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

type ProgramOptions = { readonly cwd: string; readonly env?: Readonly<Record<string, string | undefined>> }

/** Runs `file` with `args`. Rejects only when the program cannot be started. */
export function runProgram(
  file: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    let bytes = 0
    const keepIn = (list: Buffer[]) => (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > outputMaxBytes) child.kill()
      else list.push(chunk)
    }
    child.stdout.on('data', keepIn(out))
    child.stderr.on('data', keepIn(err))
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({
        code,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
      })
    })
  })
}

/** Runs a JavaScript or TypeScript program with the Node.js that runs now. */
export function runNode(args: readonly string[], options: ProgramOptions): Promise<ProgramRun> {
  return runProgram(process.execPath, args, options)
}
