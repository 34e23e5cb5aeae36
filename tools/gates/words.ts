// Text that must not be in the tree: paths of one developer's machine, hosts of package registries,
// keys, and notes on how a file came to be. Patterns are put together from parts so that this file
// does not hold what it looks for.

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Gate, GateContext, GateResult, Violation } from './gate.ts'
import { listFiles } from './source-files.ts'

const fileMaxBytes = 4 * 1024 * 1024
const binary = /\.(?:png|ico|woff2?|gz|zip|sqlite|mmdb|der|p12|bin)$/

type ForbiddenWord = { readonly pattern: RegExp; readonly what: string }

const slash = '[\\\\/]'
const forbidden: readonly ForbiddenWord[] = [
  { pattern: new RegExp(`${slash}wo${'rk'}${slash}(?:main|shared)\\b`), what: 'a path of one machine' },
  {
    pattern: new RegExp(
      `${slash}(?:ro${'ot'}|home${slash}(?!gatewright\\b)[a-z]+|Users${slash}[A-Za-z]+)${slash}[\\w.-]+`,
    ),
    what: 'a path of one machine',
  },
  { pattern: new RegExp(`${slash}t${'mp'}${slash}team\\b`), what: 'a path of one machine' },
  {
    pattern: new RegExp(
      `regis${'try'}\\.(?:npmjs|yarnpkg|npmmirror)\\.|\\b(?:artifac${'tory'}|verdac${'cio'})\\b`,
      'i',
    ),
    what: 'the host of a registry',
  },
  {
    pattern: new RegExp(
      `generated (?:by|with) (?:an? )?(?:a${'i'}|ll${'m'}|chat${'gpt'}|clau${'de'}|copi${'lot'})\\b`,
      'i',
    ),
    what: 'a note on how the file was made',
  },
  { pattern: new RegExp(`co-authored${'-by'}:`, 'i'), what: 'a note on how the file was made' },
  {
    pattern: new RegExp(`-----BEGIN (?:RSA |EC |ENCRYPTED )?PRIV${'ATE'} KEY-----\\n[A-Za-z0-9+/=\\n]{64}`),
    what: 'a private key',
  },
]

function checkFile(root: string, path: string): Violation[] {
  if (binary.test(path) || statSync(join(root, path)).size > fileMaxBytes) return []
  const text = readFileSync(join(root, path), 'utf8')
  const found: Violation[] = []
  for (const { pattern, what } of forbidden) {
    const match = pattern.exec(text)
    if (match === null) continue
    const line = text.slice(0, match.index).split('\n').length
    found.push({ file: path, line, message: `${what}: ${match[0].split('\n')[0]}` })
  }
  return found
}

function checkWords(ctx: GateContext): GateResult {
  const files = listFiles(ctx.root)
  return { violations: files.flatMap((path) => checkFile(ctx.root, path)), note: `${files.length} files` }
}

export const words: Gate = { name: 'words', limit: 'no machine path, registry, key', run: checkWords }
