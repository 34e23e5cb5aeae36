// Renders the Helm chart with the values in deploy/helm/golden/ and writes what comes out beside them, so that tests
// can look at it, and reviewers at what a change of the chart does, where no helm is at hand.
//
//   node tools/render-chart.ts        needs helm in the PATH
//
// The first line of each file carries a digest of the chart and the values; a test compares it.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from './pinned-node.mjs'
import { findSystemProgram } from './system-packages.ts'

export const chartFolder = join(projectRoot, 'deploy/helm/gatewright')
const goldenFolder = join(projectRoot, 'deploy/helm/golden')

export interface Rendering {
  readonly name: string
  readonly valuesFile: string
  readonly file: string
}

export const renderings: readonly Rendering[] = readdirSync(goldenFolder)
  .filter((file) => file.endsWith('.values.yaml'))
  .map((file) => {
    const name = file.replace('.values.yaml', '')
    return { name, valuesFile: join(goldenFolder, file), file: join(goldenFolder, `${name}.rendered.yaml`) }
  })

/** Digest of everything that a rendering depends on. */
export function chartDigest({ valuesFile }: Rendering): string {
  const hash = createHash('sha256')
  const files = readdirSync(chartFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  for (const file of [...files.toSorted(), valuesFile])
    hash.update(`${file.slice(projectRoot.length)}\n`).update(readFileSync(file))
  return hash.digest('hex')
}

export function headerOf(rendering: Rendering): string {
  return `# Rendered by tools/render-chart.ts from chart ${chartDigest(rendering)}; not edited by hand.\n`
}

/** What helm makes of the chart. @throws when helm refuses it */
export function renderChart(helm: string, { valuesFile }: Rendering): string {
  const given = ['template', 'gatewright', chartFolder, '--namespace', 'llm', '--values', valuesFile]
  return execFileSync(helm, given, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

if (import.meta.main) {
  const helm = findSystemProgram('helm')
  if (helm === undefined) throw new Error('helm is not in the PATH')
  for (const rendering of renderings)
    writeFileSync(rendering.file, headerOf(rendering) + renderChart(helm, rendering))
}
