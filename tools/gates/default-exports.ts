// No default exports: a thing has one name wherever it is used.

import ts from 'typescript'
import type { Gate, Violation } from './gate.ts'
import { defineSourceGate } from './gate.ts'
import type { SourceFile } from './source-files.ts'
import { lineOf, visitNodes } from './source-files.ts'

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true
  if (ts.isExportSpecifier(node)) return node.name.text === 'default'
  return (
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some((m) => m.kind === ts.SyntaxKind.DefaultKeyword)
  )
}

function checkExports(source: SourceFile): Violation[] {
  const found: Violation[] = []
  visitNodes(source, (node) => {
    if (isDefaultExport(node))
      found.push({ file: source.path, line: lineOf(source, node), message: 'default export' })
  })
  return found
}

export const defaultExports: Gate = defineSourceGate({ name: 'default exports', limit: '0' }, checkExports)
