// An exemption outlives what it excuses only until the next check: its file or package must be there.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Exemption } from './exemptions.ts'
import * as lists from './exemptions.ts'
import type { Gate, GateContext, GateResult, Violation } from './gate.ts'

/** Exemptions of `byFile` whose file is not below `root`, and of any list without a reason. */
export function findStale(
  root: string,
  byFile: readonly Exemption[],
  all: readonly Exemption[],
): Violation[] {
  const file = 'tools/gates/exemptions.ts'
  const gone = byFile.filter((row) => !existsSync(join(root, row.name.split('#')[0] ?? '')))
  return [
    ...gone.map((row) => ({ file, message: `${row.name} is gone` })),
    ...all
      .filter((row) => row.reason.trim() === '')
      .map((row) => ({ file, message: `${row.name} has no reason` })),
  ]
}

function checkExemptions(ctx: GateContext): GateResult {
  const byFile = [
    ...lists.longFiles,
    ...lists.rowBuilders,
    ...lists.regexesFromData,
    ...lists.environmentReaders,
  ]
  const all = Object.values(lists).flat()
  return { violations: findStale(ctx.root, byFile, all), note: `${all.length} exemptions` }
}

export const exemptionsInUse: Gate = {
  name: 'exemptions',
  limit: 'each in use, with a reason',
  run: checkExemptions,
}
