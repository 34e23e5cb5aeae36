// Runs every generator, tools/generate-*.ts, in order of name. A generator writes files that come
// from the code; with --check it writes nothing and exits 1 where a file is not what it would write.
//
//   npm run generate [-- --check]

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from './pinned-node.mjs'
import { runNode } from './run-program.ts'

/** Names of the generators of the project, relative to `root`. */
export function listGenerators(root: string): string[] {
  return readdirSync(join(root, 'tools'))
    .filter((name) => /^generate-[a-z0-9-]+\.ts$/.test(name) && !name.endsWith('.test.ts'))
    .sort()
    .map((name) => `tools/${name}`)
}

if (import.meta.main) {
  for (const generator of listGenerators(projectRoot)) {
    const run = await runNode([generator, ...process.argv.slice(2)], { cwd: projectRoot })
    process.stdout.write(run.stdout)
    process.stderr.write(run.stderr)
    console.log(`${run.code === 0 ? 'ok  ' : 'FAIL'} ${generator}`)
    if (run.code !== 0) process.exitCode = 1
  }
}
