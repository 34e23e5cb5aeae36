// Writes the software bill of materials of what is shipped (CycloneDX, JSON) to stdout or a file:
//
//   npm run sbom [-- --out sbom.json] [-- --dev]
//
// It comes from package-lock.json alone, so it does not depend on what is installed here. The packages for
// development are left out here and not by npm's --omit=dev, which also leaves out a shipped package that some
// package for development needs too.

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { npmCommand } from './install-packages.mjs'
import { projectRoot } from './pinned-node.mjs'
import { runProgram } from './run-program.ts'

/** The parts of a CycloneDX document that this program reads or changes. */
type Sbom = {
  readonly bomFormat: string
  readonly metadata: { readonly component: { name: string; type: string } }
  components: readonly {
    readonly 'bom-ref': string
    readonly name: string
    readonly version: string
    readonly properties: readonly { readonly name: string; readonly value: string }[]
    readonly hashes?: readonly { readonly alg: string }[]
    readonly licenses?: readonly unknown[]
  }[]
  dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

function leaveOutDevelopment(sbom: Sbom): void {
  const isDevelopment = (row: Sbom['components'][number]): boolean =>
    row.properties.some(
      (property) => property.name === 'cdx:npm:package:development' && property.value === 'true',
    )
  const left = new Set(sbom.components.filter(isDevelopment).map((row) => row['bom-ref']))
  sbom.components = sbom.components.filter((row) => !left.has(row['bom-ref']))
  sbom.dependencies = sbom.dependencies
    .filter((row) => !left.has(row.ref))
    .map((row) => ({ ...row, dependsOn: row.dependsOn.filter((ref) => !left.has(ref)) }))
}

/** The bill of materials. `dev`: with the packages that only development needs. */
export async function createSbom(dev: boolean): Promise<Sbom> {
  const npm = npmCommand(projectRoot)
  const args = [...npm.args, 'sbom', '--sbom-format', 'cyclonedx', '--package-lock-only']
  const run = await runProgram(npm.file, args, { cwd: projectRoot })
  if (run.code !== 0) throw new Error(`npm sbom ended with code ${run.code}: ${run.stderr.trim()}`)
  const sbom: Sbom = JSON.parse(run.stdout)
  // npm names the folder of the checkout, and takes every package for a library.
  Object.assign(sbom.metadata.component, { name: 'gatewright', type: 'application' })
  if (!dev) leaveOutDevelopment(sbom)
  return sbom
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, dev: { type: 'boolean', default: false } },
  })
  const text = `${JSON.stringify(await createSbom(values.dev), null, 2)}\n`
  if (values.out === undefined) process.stdout.write(text)
  else writeFileSync(values.out, text)
}
