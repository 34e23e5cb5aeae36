// Nothing but the command line and the repository's tools writes to the console: the server logs
// through one logger, which redacts secrets and escapes what came with a request.

import ts from 'typescript'
import type { Gate, Violation } from './gate.ts'
import { defineSourceGate } from './gate.ts'
import type { SourceFile } from './source-files.ts'
import { lineOf, visitNodes } from './source-files.ts'

const writers = /^(?:src\/cli\/|tools\/|bench\/|examples\/)/

function checkConsole(source: SourceFile): Violation[] {
  if (writers.test(source.path)) return []
  const found: Violation[] = []
  visitNodes(source, (node) => {
    if (!ts.isPropertyAccessExpression(node) || !/^(?:globalThis\.)?console$/.test(node.expression.getText()))
      return
    found.push({ file: source.path, line: lineOf(source, node), message: `console.${node.name.text}` })
  })
  return found
}

export const consoleCalls: Gate = defineSourceGate(
  { name: 'console', limit: 'only src/cli, tools, bench, examples' },
  checkConsole,
)
