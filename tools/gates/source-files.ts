// Finds the files that gates check, and parses TypeScript for those that read syntax.
// It walks the file system and does not ask git, so that a tree means the same before and after a
// commit and in an unpacked archive.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** A parsed source file. `path` is relative to the root, with forward slashes. */
export type SourceFile = {
  readonly path: string
  readonly text: string
  readonly tree: ts.SourceFile
  readonly isTest: boolean
}

// Never part of the tree: installed, written by the program, or planted to be wrong.
const foldersOutside = new Set(['node_modules', '.git', 'data', 'tmp', 'coverage', 'dist', 'test/planted'])
const foldersOfSource = ['src', 'test', 'bench', 'tools', 'clients', 'examples']
const depthMax = 24

/** Paths of all files below `root`/`folder` that belong to the tree, sorted, relative to `root`. */
export function listFiles(root: string, folder = ''): string[] {
  const found: string[] = []
  const walk = (path: string, depth: number): void => {
    if (depth > depthMax) return
    for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
      const child = path === '' ? entry.name : `${path}/${entry.name}`
      if (foldersOutside.has(child) || entry.name === 'node_modules') continue
      if (entry.isDirectory()) walk(child, depth + 1)
      else if (entry.isFile()) found.push(child)
    }
  }
  try {
    walk(folder, 0)
  } catch (err) {
    if (!(err instanceof Error && 'code' in err && err.code === 'ENOENT')) throw err
  }
  return found.sort()
}

/** True for tests, contract suites (in one file or several) and what only they use. */
export function isTestPath(path: string): boolean {
  return (
    path.startsWith('test/') ||
    path.includes('/harness/') ||
    /\.(?:test|contract(?:-[a-z-]+)?)\.ts$/.test(path)
  )
}

/** Parses every hand-written TypeScript file of the source folders. */
export function readSourceFiles(root: string): SourceFile[] {
  return foldersOfSource
    .flatMap((folder) => listFiles(root, folder))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.gen.ts') && !path.endsWith('.d.ts'))
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true)
      return { path, text, tree, isTest: isTestPath(path) }
    })
}

/** Line, from 1, at which `node` begins. */
export function lineOf(source: SourceFile, node: ts.Node): number {
  return source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree)).line + 1
}

/** Calls `visit` with every node of the file, parents first. */
export function visitNodes(source: SourceFile, visit: (node: ts.Node) => void): void {
  const step = (node: ts.Node): void => {
    visit(node)
    ts.forEachChild(node, step)
  }
  step(source.tree)
}
