/** A scan as a whole: the files first, then the history. */
import { scanHistory } from './git-history.ts'
import type { ScanResult } from './report.ts'
import type { ScanFigures, ScanTerms } from './scan-terms.ts'
import { findHistory, scanWorkingTree } from './working-tree.ts'

/** @throws Error where git fails on a history that is there */
export async function scanPath(terms: ScanTerms, withHistory: boolean): Promise<ScanResult> {
  const startedAt = performance.now()
  const figures: ScanFigures = { files: 0, objects: 0, bytes: 0, binary: 0, tooLarge: 0, unreadable: 0 }
  const findings = scanWorkingTree(terms, figures)
  const directory = withHistory ? findHistory(terms) : null
  if (directory !== null) findings.push(...(await scanHistory(directory, terms, figures)))
  const durationMs = performance.now() - startedAt
  return { findings, figures, durationMs, hasHistory: directory !== null }
}
