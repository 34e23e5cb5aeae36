// No regular expression of the product can be made to backtrack, because they meet text of attackers: its form shows
// it, or recheck proves it. Verdicts are kept in node_modules/.cache by the hash of the expression.
//
// Expressions built at run time cannot be seen here; the files that do so are listed with the reason
// why theirs are safe (exemptions.ts).

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import ts from 'typescript'
import { regexesBounded, regexesFromData } from './exemptions.ts'
import type { Gate, GateContext, GateResult, Violation } from './gate.ts'
import { isPlainlyLinear } from './linear-regex.ts'
import type { RegexQuestion, RegexVerdict } from './regex-worker.ts'
import type { SourceFile } from './source-files.ts'
import { lineOf, visitNodes } from './source-files.ts'

type FoundRegex = RegexQuestion & { readonly file: string; readonly line: number }
type Scan = { readonly regexes: FoundRegex[]; readonly violations: Violation[] }

function isRegExpCall(node: ts.Node): node is ts.NewExpression | ts.CallExpression {
  return (ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === 'RegExp'
}

/** `pattern: '…'` of a JSON Schema, which the validator compiles with the flag u. */
function isSchemaPattern(
  node: ts.Node,
): node is ts.PropertyAssignment & { initializer: ts.StringLiteralLike } {
  return (
    ts.isPropertyAssignment(node) &&
    node.name.getText() === 'pattern' &&
    ts.isStringLiteralLike(node.initializer)
  )
}

function scanFile(source: SourceFile): Scan {
  const scan: Scan = { regexes: [], violations: [] }
  const fromData = regexesFromData.some((file) => file.name === source.path)
  visitNodes(source, (node) => {
    const place = { file: source.path, line: lineOf(source, node) }
    if (isSchemaPattern(node)) {
      scan.regexes.push({ ...place, pattern: node.initializer.text, flags: 'u' })
    } else if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/')
      scan.regexes.push({ ...place, pattern: node.text.slice(1, end), flags: node.text.slice(end + 1) })
    } else if (isRegExpCall(node)) {
      const [pattern, flags] = node.arguments ?? []
      const isLiteral = pattern !== undefined && ts.isStringLiteralLike(pattern)
      if (isLiteral && (flags === undefined || ts.isStringLiteralLike(flags))) {
        scan.regexes.push({ ...place, pattern: pattern.text, flags: flags?.text ?? '' })
      } else if (!fromData) {
        scan.violations.push({
          ...place,
          message: 'a regular expression built at run time is not proven safe',
        })
      }
    }
  })
  return scan
}

function keyOf(regex: RegexQuestion): string {
  return createHash('sha256').update(`${regex.flags}/${regex.pattern}`).digest('base64url')
}

/** Asks recheck about the expressions, one after another, on a thread of its own. */
function askRecheck(questions: readonly RegexQuestion[]): Promise<readonly RegexVerdict[]> {
  if (questions.length === 0) return Promise.resolve([])
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./regex-worker.ts', import.meta.url), { workerData: questions })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

class VerdictCache {
  readonly #path: string
  readonly #verdicts: Map<string, string>

  constructor(root: string) {
    const version = JSON.parse(
      readFileSync(join(root, 'node_modules', 'recheck', 'package.json'), 'utf8'),
    ).version
    const folder = join(root, 'node_modules', '.cache', 'gatewright')
    mkdirSync(folder, { recursive: true })
    this.#path = join(folder, `recheck-${version}.json`)
    this.#verdicts = new Map()
    try {
      this.#verdicts = new Map(Object.entries(JSON.parse(readFileSync(this.#path, 'utf8'))))
    } catch {
      // first run, or a file cut short: everything is asked again
    }
  }

  get(regex: RegexQuestion): string | undefined {
    return this.#verdicts.get(keyOf(regex))
  }

  /** Keeps verdicts. One that ran out of time is not kept: a quieter machine may reach it. */
  keep(questions: readonly RegexQuestion[], verdicts: readonly RegexVerdict[]): void {
    questions.forEach((question, index) => {
      const verdict = verdicts[index]
      if (verdict !== undefined) this.#verdicts.set(keyOf(question), verdict.problem)
    })
    const lasting = [...this.#verdicts].filter(([, problem]) => !problem.startsWith('not proven'))
    writeFileSync(this.#path, JSON.stringify(Object.fromEntries(lasting)))
  }
}

async function checkRegexes(ctx: GateContext): Promise<GateResult> {
  const scans = ctx
    .sources()
    .filter((source) => source.path.startsWith('src/') && !source.isTest)
    .map(scanFile)
  const violations = scans.flatMap((scan) => scan.violations)
  const regexes = scans.flatMap((scan) => scan.regexes)
  const doubtful = regexes.filter(({ pattern, flags }) => !isPlainlyLinear(pattern, flags))
  const cache = new VerdictCache(ctx.root)
  const unknown = [
    ...new Map(doubtful.filter((regex) => cache.get(regex) === undefined).map((r) => [keyOf(r), r])).values(),
  ]
  const questions = unknown.map(({ pattern, flags }) => ({ pattern, flags }))
  cache.keep(questions, await askRecheck(questions))
  for (const regex of doubtful) {
    const problem = cache.get(regex) ?? 'not proven'
    const exempt = regexesBounded.some((exemption) => exemption.name === `/${regex.pattern}/${regex.flags}`)
    if (problem === '' || exempt) continue
    violations.push({
      file: regex.file,
      line: regex.line,
      message: `${problem}: /${regex.pattern}/${regex.flags}`,
    })
  }
  return { violations, note: `${regexes.length} expressions, ${doubtful.length} for recheck` }
}

export const regexes: Gate = { name: 'regular expressions', limit: 'no backtracking', run: checkRegexes }
