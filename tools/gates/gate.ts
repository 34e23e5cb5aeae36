// The shape of a gate: one law of this repository, checked by a program. A gate reads a tree below
// `root` and reports what breaks the law; it changes nothing. Every gate has a planted violation in
// test/planted/ and a test (tools/gates.test.ts) that proves that it bites.

import type { SourceFile } from './source-files.ts'
import { readSourceFiles } from './source-files.ts'

/** One breach: file relative to the root, line from 1 where there is one, what is wrong. */
export type Violation = { readonly file: string; readonly line?: number; readonly message: string }

/** What a gate found, and a note on what it looked at ("212 files"). */
export type GateResult = { readonly violations: readonly Violation[]; readonly note: string }

/** The tree to check. `sources` parses every TypeScript file once for all gates that read syntax. */
export type GateContext = { readonly root: string; readonly sources: () => readonly SourceFile[] }

/** A law: its name in the report, its limit in words, and its check. */
export type Gate = {
  readonly name: string
  readonly limit: string
  readonly run: (ctx: GateContext) => Promise<GateResult> | GateResult
}

/** Prepares the check of the tree below `root`. */
export function createGateContext(root: string): GateContext {
  let sources: readonly SourceFile[] | undefined
  return {
    root,
    sources: () => {
      sources ??= readSourceFiles(root)
      return sources
    },
  }
}

/** A gate that looks at each source file on its own. `check` returns the breaches of one file. */
export function defineSourceGate(
  facts: { readonly name: string; readonly limit: string },
  check: (source: SourceFile) => readonly Violation[],
): Gate {
  return {
    ...facts,
    run: (ctx) => {
      const sources = ctx.sources()
      return { violations: sources.flatMap((source) => check(source)), note: `${sources.length} files` }
    },
  }
}
