// The environment enters the product in one file; everything else is given its configuration.
// Tests, tools and benchmarks start processes and may read it.

import ts from 'typescript'
import { environmentReaders } from './exemptions.ts'
import type { Gate, Violation } from './gate.ts'
import { defineSourceGate } from './gate.ts'
import type { SourceFile } from './source-files.ts'
import { lineOf, visitNodes } from './source-files.ts'

function isEnvironment(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) {
    return node.name.text === 'env' && /^(?:globalThis\.)?process$/.test(node.expression.getText())
  }
  if (ts.isElementAccessExpression(node)) {
    return (
      node.expression.getText() === 'process' && /^['"`]env['"`]$/.test(node.argumentExpression.getText())
    )
  }
  if (!ts.isImportSpecifier(node)) return false
  const from = node.parent.parent.parent.moduleSpecifier.getText()
  return /^['"](?:node:)?process['"]$/.test(from) && (node.propertyName ?? node.name).text === 'env'
}

function checkEnvironment(source: SourceFile): Violation[] {
  if (!source.path.startsWith('src/') || source.isTest) return []
  if (environmentReaders.some((file) => file.name === source.path)) return []
  const found: Violation[] = []
  visitNodes(source, (node) => {
    if (!isEnvironment(node)) return
    found.push({
      file: source.path,
      line: lineOf(source, node),
      message: 'process.env outside src/config/load.ts',
    })
  })
  return found
}

export const environment: Gate = defineSourceGate(
  { name: 'process.env', limit: 'only src/config/load.ts' },
  checkEnvironment,
)
