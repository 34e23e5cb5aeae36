// No way around the type checker: no `any`, no non-null `!`, no comment that silences an error.

import ts from 'typescript'
import type { Gate, Violation } from './gate.ts'
import { defineSourceGate } from './gate.ts'
import type { SourceFile } from './source-files.ts'
import { lineOf, visitNodes } from './source-files.ts'

const silencingComment = /^(?:\/\/|\/\*)\s*@ts-(?:ignore|nocheck|expect-error)\b/

function checkComments(source: SourceFile): Violation[] {
  const found: Violation[] = []
  const scanner = ts.createScanner(ts.ScriptTarget.ESNext, false, ts.LanguageVariant.Standard, source.text)
  // Only comments that stand between tokens: those inside template strings are text.
  const positions = new Set<number>()
  visitNodes(source, (node) => {
    for (const range of ts.getLeadingCommentRanges(source.text, node.pos) ?? []) positions.add(range.pos)
  })
  for (const position of positions) {
    scanner.resetTokenState(position)
    scanner.scan()
    if (!silencingComment.test(scanner.getTokenText())) continue
    const line = source.tree.getLineAndCharacterOfPosition(position).line + 1
    found.push({ file: source.path, line, message: 'a comment silences the type checker' })
  }
  return found
}

function checkEscapes(source: SourceFile): Violation[] {
  const found = checkComments(source)
  visitNodes(source, (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) {
      found.push({ file: source.path, line: lineOf(source, node), message: 'any: use unknown and parse it' })
    } else if (ts.isNonNullExpression(node)) {
      found.push({ file: source.path, line: lineOf(source, node), message: 'non-null !: test for undefined' })
    }
  })
  return found
}

export const typeEscapes: Gate = defineSourceGate(
  { name: 'type escapes', limit: '0 any, 0 non-null !, 0 @ts-ignore' },
  checkEscapes,
)
