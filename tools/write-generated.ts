// Writes a generated file, or with --check on the command line only compares: a file that is not what its generator
// would write is named and makes the exit code 1.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { projectRoot } from './pinned-node.mjs'

/** `path` is relative to the root of the project. */
export function writeGenerated(path: string, text: string): void {
  const file = join(projectRoot, path)
  const before = existsSync(file) ? readFileSync(file, 'utf8') : null
  if (before === text) return
  if (process.argv.includes('--check')) {
    process.stderr.write(`${path} is not what its generator writes: run npm run generate\n`)
    process.exitCode = 1
    return
  }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
