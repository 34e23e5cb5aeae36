/** Where and on what a proof was measured. */
import { cpus, totalmem } from 'node:os'
import { runProgram } from '../run-program.ts'

export interface Machine {
  readonly cores: number
  readonly model: string
  readonly memoryGb: number
  readonly platform: string
  readonly node: string
}

export function describeMachine(): Machine {
  const processors = cpus()
  return {
    cores: processors.length,
    model: processors[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  }
}

/** The commit that is checked out; with a `+` where files differ from it. `unknown` outside a repository. */
export async function describeCommit(root: string): Promise<string> {
  const commit = await runProgram('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root })
  if (commit.code !== 0) return 'unknown'
  const changed = await runProgram('git', ['status', '--porcelain', '--untracked-files=no', 'src'], {
    cwd: root,
  })
  return `${commit.stdout.trim()}${changed.stdout.trim() === '' ? '' : '+'}`
}
