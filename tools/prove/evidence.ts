/**
 * Evidence of a slice: `docs/evidence/<slice>.json`, and the same as a page. Each section keeps the date and the
 * commit of its own run, so that one section can be measured again without the others.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Machine } from './machine.ts'
import type { ProofRow, ProofSlice } from './slice.ts'

export interface SectionEvidence {
  /** ISO 8601, when the section ended. */
  readonly date: string
  readonly commit: string
  readonly machine: Machine
  readonly seconds: number
  readonly rows: readonly ProofRow[]
}

/** Section name → what it measured last. */
export type Evidence = Readonly<Record<string, SectionEvidence>>

export function readEvidence(root: string, slice: string): Evidence {
  const file = join(root, 'docs', 'evidence', `${slice}.json`)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Evidence) : {}
}

export function writeEvidence(root: string, slice: ProofSlice, evidence: Evidence): void {
  const file = join(root, 'docs', 'evidence', `${slice.name}.json`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(evidence, null, 2)}\n`)
  writeFileSync(file.replace(/\.json$/, '.md'), pageOf(slice, evidence))
}

const verdicts = { true: 'yes', false: '**no**', null: '' } as const

/** Rows as a Markdown table. */
export function tableOf(rows: readonly ProofRow[]): string {
  const lines = rows.map(({ claim, target, measured, unit, ok }) =>
    `| ${claim} | ${target} | ${measured} ${unit} | ${verdicts[`${ok}`]} |`.replaceAll('  ', ' '),
  )
  return ['| claim | target | measured | holds |', '|---|---|---|---|', ...lines].join('\n')
}

/** One sentence: when, on what. */
export function originOf({ date, commit, machine, seconds }: SectionEvidence): string {
  const { cores, model, memoryGb, platform, node } = machine
  return `Measured ${date} at commit \`${commit}\` in ${seconds} s on ${cores} cores (${model}), ${memoryGb} GB, ${platform}, Node.js ${node}.`
}

function pageOf(slice: ProofSlice, evidence: Evidence): string {
  const parts = slice.sections.flatMap(({ name, does }) => {
    const section = evidence[name]
    if (section === undefined) return []
    return [`## ${name}\n\n${does} ${originOf(section)}\n\n${tableOf(section.rows)}\n`]
  })
  return `# Evidence: ${slice.title}\n\nWritten by \`npm run prove -- ${slice.name}\`; not edited by hand.\n\n${parts.join('\n')}`
}
