// Files of at most 500 lines, functions of at most 70, at most 3 parameters.
//
// A function that registers tests is a list of tests, not a function in this sense. An inline
// callback takes the parameters that its caller gives, so only named functions are counted.

import ts from 'typescript'
import { longFiles, rowBuilders } from './exemptions.ts'
import type { Gate, Violation } from './gate.ts'
import { defineSourceGate } from './gate.ts'
import type { SourceFile } from './source-files.ts'
import { lineOf, visitNodes } from './source-files.ts'

export const fileLinesMax = 500
export const functionLinesMax = 70
export const parametersMax = 3

const testFunctions = new Set([
  'test',
  'it',
  'describe',
  'suite',
  'before',
  'after',
  'beforeEach',
  'afterEach',
])

/** `test('name', …)`; in a test file also `anything('name', () => …)`, a test by another name. */
function isTestRegistration(node: ts.Node, isTest: boolean): boolean {
  if (!ts.isCallExpression(node)) return false
  const [first] = node.arguments
  const last = node.arguments.at(-1)
  const named = first !== undefined && (ts.isStringLiteralLike(first) || ts.isTemplateExpression(first))
  if (isTest && named && last !== undefined && ts.isFunctionLike(last)) return true
  const callee = ts.isPropertyAccessExpression(node.expression) ? node.expression.expression : node.expression
  return ts.isIdentifier(callee) && testFunctions.has(callee.text)
}

/** True when the function only groups tests: one of its own statements registers one. */
function registersTests(node: ts.FunctionLikeDeclaration, isTest: boolean): boolean {
  let found = false
  const look = (child: ts.Node): void => {
    if (found) return
    if (isTestRegistration(child, isTest)) found = true
    else ts.forEachChild(child, look)
  }
  if (node.body !== undefined) ts.forEachChild(node.body, look)
  return found
}

function nameOf(node: ts.SignatureDeclaration): string {
  if (node.name !== undefined) return node.name.getText()
  const parent = node.parent
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) return parent.name.getText()
  return ts.isConstructorDeclaration(node) ? 'constructor' : 'a function'
}

function isInlineCallback(node: ts.SignatureDeclaration): boolean {
  if (!ts.isArrowFunction(node) && !ts.isFunctionExpression(node)) return false
  return !ts.isVariableDeclaration(node.parent) && !ts.isPropertyDeclaration(node.parent)
}

function countParameters(node: ts.SignatureDeclaration): number {
  return node.parameters.filter((parameter) => parameter.name.getText() !== 'this').length
}

function checkFunction(source: SourceFile, node: ts.SignatureDeclaration): Violation[] {
  const found: Violation[] = []
  const line = lineOf(source, node)
  const parameters = countParameters(node)
  const isRow = rowBuilders.some((builder) => builder.name === `${source.path}#${nameOf(node)}`)
  if (parameters > parametersMax && !isInlineCallback(node) && !isRow) {
    const message = `${nameOf(node)} takes ${parameters} parameters (limit ${parametersMax}: pass an options object)`
    found.push({ file: source.path, line, message })
  }
  if (!('body' in node)) return found
  const end = source.tree.getLineAndCharacterOfPosition(node.end).line + 1
  const lines = end - line + 1
  if (lines > functionLinesMax && !registersTests(node as ts.FunctionLikeDeclaration, source.isTest)) {
    found.push({
      file: source.path,
      line,
      message: `${nameOf(node)} has ${lines} lines (limit ${functionLinesMax})`,
    })
  }
  return found
}

function checkSizes(source: SourceFile): Violation[] {
  const found: Violation[] = []
  const lines = source.text.trimEnd().split('\n').length
  const exempt = longFiles.some((file) => file.name === source.path)
  if (lines > fileLinesMax && !exempt) {
    found.push({ file: source.path, message: `the file has ${lines} lines (limit ${fileLinesMax})` })
  } else if (lines <= fileLinesMax && exempt) {
    found.push({ file: source.path, message: 'no longer needs its exemption in tools/gates/exemptions.ts' })
  }
  visitNodes(source, (node) => {
    if (ts.isFunctionLike(node) && !ts.isJSDocSignature(node)) found.push(...checkFunction(source, node))
  })
  return found
}

export const sizes: Gate = defineSourceGate(
  {
    name: 'sizes',
    limit: `file ≤ ${fileLinesMax}, function ≤ ${functionLinesMax} lines, ≤ ${parametersMax} parameters`,
  },
  checkSizes,
)
