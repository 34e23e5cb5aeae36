// What a document names exists: files of the tree in `backticks`, relative links, npm scripts. A document that
// speaks of what was renamed or never written is wrong without anyone noticing; here it fails.
//
// A name with a placeholder (`src/<slice>/`, `*.test.ts`, `…`) is a pattern and not looked up. Evidence and
// decisions tell of a day, not of the tree as it is, and are left alone.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Gate, GateContext, GateResult, Violation } from './gate.ts'
import { listFiles } from './source-files.ts'

const ofOneDay = /^docs\/(?:evidence|decisions)\/|^CHANGELOG\.md$/
const pathInCode = /`((?:src|tools|test|bench|docs|deploy|clients|examples|console|\.ci)\/[^`\s]*)`/g
const link = /\]\(([^()\s]+)\)/g
const npmScript = /\bnpm (?:run (?:--silent )?([\w:-]+)|(test|start))\b/g

/** Text of the document with code blocks blanked, line by line, so that line numbers stay. */
function withoutCodeBlocks(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, (block) => block.replace(/[^\n]/g, ' '))
}

function* matchesOf(
  text: string,
  pattern: RegExp,
): Generator<{ readonly line: number; readonly name: string }> {
  for (const match of text.matchAll(pattern)) {
    const name = match[1] ?? match[2] ?? ''
    yield { line: text.slice(0, match.index).split('\n').length, name }
  }
}

function isPattern(name: string): boolean {
  return /[<>*{}…|]|\.\.\.|NNNN/.test(name)
}

function checkDocument(root: string, file: string, scripts: ReadonlySet<string>): Violation[] {
  const whole = readFileSync(join(root, file), 'utf8')
  const prose = withoutCodeBlocks(whole)
  const found: Violation[] = []
  for (const { line, name } of matchesOf(prose, pathInCode)) {
    const path = name.replace(/[:#].*$/, '')
    if (!isPattern(name) && !existsSync(join(root, path)))
      found.push({ file, line, message: `${name} is not there` })
  }
  for (const { line, name } of matchesOf(prose, link)) {
    if (/^(?:[a-z][a-z+.-]*:|#)/.test(name)) continue
    const path = name.replace(/#.*$/, '')
    const target = path.startsWith('/') ? join(root, path) : join(root, dirname(file), path)
    if (!existsSync(target)) found.push({ file, line, message: `the link ${name} leads nowhere` })
  }
  for (const { line, name } of matchesOf(whole, npmScript)) {
    if (!scripts.has(name)) found.push({ file, line, message: `there is no npm script ${name}` })
  }
  return found
}

function checkDocuments(ctx: GateContext): GateResult {
  const manifest: { scripts: Record<string, string> } = JSON.parse(
    readFileSync(join(ctx.root, 'package.json'), 'utf8'),
  )
  const scripts = new Set(Object.keys(manifest.scripts))
  const files = listFiles(ctx.root).filter((file) => file.endsWith('.md') && !ofOneDay.test(file))
  const violations = files.flatMap((file) => checkDocument(ctx.root, file, scripts))
  return { violations, note: `${files.length} documents` }
}

export const documents: Gate = {
  name: 'documents',
  limit: 'paths, links and npm scripts exist',
  run: checkDocuments,
}
