// Writes the software bill of materials of what is shipped (CycloneDX, JSON) to stdout or a file:
//
//   npm run sbom [-- --out sbom.json] [-- --dev]
//
// It comes from package-lock.json alone, so it does not depend on what is installed here.

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { npmCommand } from './install-packages.mjs'
import { projectRoot } from './pinned-node.mjs'
import { runProgram } from './run-program.ts'

/** The bill of materials as JSON text. `dev`: with the packages that only development needs. */
export async function createSbom(dev: boolean): Promise<string> {
  const npm = npmCommand(projectRoot)
  const scope = dev ? [] : ['--omit=dev']
  const args = [...npm.args, 'sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', ...scope]
  const run = await runProgram(npm.file, args, { cwd: projectRoot })
  if (run.code !== 0) throw new Error(`npm sbom ended with code ${run.code}: ${run.stderr.trim()}`)
  return run.stdout
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, dev: { type: 'boolean', default: false } },
  })
  const text = await createSbom(values.dev)
  if (values.out === undefined) process.stdout.write(text)
  else writeFileSync(values.out, text)
}
