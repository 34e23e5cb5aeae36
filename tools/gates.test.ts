// Every gate bites: each is run on a small tree that breaks its law (test/planted/) and must report
// exactly the breaches that were planted there.

import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { check } from './check.ts'
import { allGates } from './gates/all-gates.ts'
import { findStale } from './gates/exemptions-in-use.ts'
import type { Gate } from './gates/gate.ts'
import { createGateContext } from './gates/gate.ts'
import { isPermissive } from './gates/lockfile.ts'
import { listFiles } from './gates/source-files.ts'
import { projectRoot } from './pinned-node.mjs'

// What every planted tree shares with this one, so that the gates run with the real rules.
const shared = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'biome.json',
  'knip.json',
  '.jscpd.json',
  '.dependency-cruiser.cjs',
  '.npmrc',
  '.gitignore',
]

/** Files to write into the planted tree, by path: for what would be silly to keep as a file. */
type Files = Readonly<Record<string, string>>

type Plant = {
  readonly gate: string
  /** Folder of test/planted, where there is one. */
  readonly tree?: string
  readonly files?: () => Files
  /** `file:line  message` of every breach, cut to the length given here, in any order. */
  readonly breaches: readonly string[]
}

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function plantTree(tree: string | undefined, files: Files): string {
  const root = mkdtempSync(join(tmpdir(), 'planted-'))
  folders.push(root)
  for (const file of shared) cpSync(join(projectRoot, file), join(root, file))
  symlinkSync(join(projectRoot, 'node_modules'), join(root, 'node_modules'), 'dir')
  if (tree !== undefined) cpSync(join(projectRoot, 'test', 'planted', tree), root, { recursive: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

function gateNamed(name: string): Gate {
  const gate = allGates.find((candidate) => candidate.name === name)
  assert.ok(gate !== undefined, `no gate is named ${name}`)
  return gate
}

/** The lockfile of this project with one package changed or added. */
function lockfileWith(name: string, row: Readonly<Record<string, unknown>>): Files {
  const lockfile = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8'))
  lockfile.packages[`node_modules/${name}`] = {
    version: '1.0.0',
    integrity: 'sha512-x',
    license: 'MIT',
    ...row,
  }
  return { 'package-lock.json': JSON.stringify(lockfile) }
}

function manifestWith(version: string): Files {
  const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
  manifest.dependencies.planted = version
  return { 'package.json': JSON.stringify(manifest) }
}

const statements = (count: number): string => 'void 0\n'.repeat(count)

const plants: readonly Plant[] = [
  {
    gate: 'types',
    tree: 'types',
    breaches: ['src/wrong-type.ts:1  TS2322', 'src/wrong-type.ts:3  TS2322'],
  },
  { gate: 'types', breaches: ['tsconfig.json  '] },
  {
    gate: 'format and lint',
    tree: 'format-and-lint',
    breaches: [
      'src/floating-promise.ts:6  lint/nursery/noFloatingPromises',
      'src/misused-promise.ts:6  lint/nursery/noMisusedPromises',
      'src/switch.ts:4  lint/nursery/useExhaustiveSwitchCases',
      'src/unformatted.ts  format',
      'src/wrongName.ts  lint/style/useFilenamingConvention',
    ],
  },
  {
    gate: 'layers and cycles',
    tree: 'layers',
    breaches: [
      'src/kernel/clock.ts  kernel-layer: → src/domain/usage.ts',
      'src/kernel/parse.ts  kernel-imports-nothing: → ',
      'src/domain/document.ts  domain-is-types: → ',
      'src/domain/price.ts  no-circular: → src/domain/usage.ts → src/domain/price.ts',
      'src/ports/store.ts  ports-layer: → src/limits/index.ts',
      'src/limits/memory.ts  slice-not-adapters-or-planes: → src/adapters/memory/store.ts',
      'src/limits/memory.ts  adapters-only-wired-in-compose: → src/adapters/memory/store.ts',
      'src/limits/random.ts  product-uses-shipped-packages-only: → ',
      'src/limits/settings.ts  slice-not-configuration: → src/config/settings.ts',
      'src/adapters/memory/limits.ts  adapters-layer: → src/limits/index.ts',
      'src/routing/pick.ts  slice-to-slice-via-index-only: → src/providers/rows.ts',
      'src/access/decide.ts  slice-to-slice-ties-are-named: → src/providers/index.ts',
      'src/gateway/server.ts  data-plane-does-not-see-control-plane: → src/admin/page.ts',
      'src/gateway/worker.ts  planes-do-not-see-composition: → src/adapters/memory/store.ts',
      'src/gateway/worker.ts  adapters-only-wired-in-compose: → src/adapters/memory/store.ts',
      'src/admin/health.ts  control-plane-does-not-see-data-plane: → src/gateway/state.ts',
      'src/portal/entry.ts  planes-do-not-see-composition: → src/main.ts',
      'src/portal/entry.ts  main-is-nobodys-import: → src/main.ts',
      'src/cli/lost.ts  not-to-unresolvable: → ./nowhere.ts',
      'src/cli/bench.ts  product-does-not-see-tools: → bench/load.ts',
      'src/cli/odds.ts  every-folder-has-a-layer: → src/helpers/text.ts',
      'clients/typescript/index.ts  clients-and-console-see-no-source: → src/domain/usage.ts',
    ],
  },
  {
    gate: 'layers and cycles', // rules that see no module must not pass
    files: () => ({
      'src/main.ts': 'export const main = 1\n',
      '.dependency-cruiser.cjs':
        "module.exports = { forbidden: [], options: { exclude: { path: 'src' } } }\n",
    }),
    breaches: ['src/main.ts  dependency-cruiser saw 0 of 1 modules'],
  },
  {
    gate: 'dead code',
    tree: 'dead-code',
    breaches: [
      'src/orphan.ts  no other file uses this one',
      'src/part.ts:2  unused export: unused',
      'src/part.ts:3  only tests use this export: tested',
      'src/sample.ts  only tests use this file',
      'src/main.ts:1  not declared in package.json: fastify',
      'package.json  unused dependency: yaml',
    ],
  },
  { gate: 'clones', tree: 'clones', breaches: ['src/'] },
  {
    gate: 'sizes',
    files: () => ({
      'src/long-file.ts': statements(501),
      'src/long-enough.ts': statements(500),
      'src/long-function.ts': `export function long(): void {\n${statements(69)}}\n`,
      'src/long-enough-function.ts': `export function long(): void {\n${statements(68)}}\n`,
      'src/parameters.ts':
        'export const sum = (a: number, b: number, c: number, d: number): number => a + b + c + d\n',
      'src/inline.ts':
        "export const text = 'a'.replace(/(a)/, (all, one, at, whole) => all + one + at + whole)\n",
      'src/port.ts': 'export type Port = { read(a: 1, b: 2, c: 3, d: 4): void }\n',
      'src/b.contract.ts': `export function suite(check: Check): void {\n${'check("y", () => {})\n'.repeat(80)}}\n`,
      'src/a.test.ts': `import { describe, test } from 'node:test'\ndescribe('x', () => {\n${'test("y", () => {})\n'.repeat(80)}})\n`,
    }),
    breaches: [
      'src/long-file.ts  the file has 501 lines',
      'src/long-function.ts:1  long has 71 lines',
      'src/parameters.ts:1  sum takes 4 parameters',
      'src/port.ts:1  read takes 4 parameters',
    ],
  },
  {
    gate: 'type escapes',
    tree: 'type-escapes',
    breaches: [
      'src/escapes.ts:1  any',
      'src/escapes.ts:2  non-null !',
      'src/escapes.ts:3  a comment silences',
      'src/escapes.ts:5  a comment silences',
    ],
  },
  {
    gate: 'default exports',
    tree: 'default-exports',
    breaches: ['src/one.ts:1  default export', 'src/two.ts:2  default export'],
  },
  {
    gate: 'process.env',
    tree: 'environment',
    breaches: [
      'src/gateway/port.ts:1  process.env',
      'src/gateway/port.ts:3  process.env',
      'src/gateway/port.ts:4  process.env',
      'src/gateway/port.ts:6  process.env',
    ],
  },
  { gate: 'console', tree: 'console-calls', breaches: ['src/gateway/log.ts:1  console.log'] },
  {
    gate: 'regular expressions',
    tree: 'regexes',
    breaches: [
      'src/match.ts:1  backtracks, exponential, ',
      'src/match.ts:2  backtracks, 2nd degree polynomial, ',
      'src/match.ts:4  a regular expression built at run time',
      'src/match.ts:5  backtracks, exponential, ',
    ],
  },
  {
    gate: 'dependency licences',
    files: () => lockfileWith('planted', { license: 'AGPL-3.0-only' }),
    breaches: ['package-lock.json  planted: AGPL-3.0-only'],
  },
  {
    gate: 'dependency licences', // an exemption holds for development only
    files: () => lockfileWith('axe-core', { license: 'MPL-2.0' }),
    breaches: [
      'package-lock.json  axe-core: MPL-2.0',
      'package-lock.json  the exemption of axe-core is no longer needed',
    ],
  },
  {
    gate: 'install scripts',
    files: () => lockfileWith('planted', { hasInstallScript: true, dev: true }),
    breaches: ['package-lock.json  planted 1.0.0 has an install script'],
  },
  {
    gate: 'lockfile',
    files: () =>
      lockfileWith('planted', { resolved: 'https://example.com/planted.tgz', integrity: 'sha1-x' }),
    breaches: [
      'package-lock.json  planted names where it was fetched',
      'package-lock.json  planted has no SHA-512',
    ],
  },
  {
    gate: 'lockfile',
    files: () => ({ ...manifestWith('^1.0.0'), '.npmrc': 'ignore-scripts=true\nsave-exact=true\n' }),
    breaches: [
      'package-lock.json  its dependencies are not',
      'package.json  planted is not pinned',
      '.npmrc  omit-lockfile-registry-resolved=true is missing',
    ],
  },
  {
    gate: 'words',
    files: () => ({
      'docs/path.md': `first\nrun it in /wo${'rk'}/main today\n`,
      'docs/home.md': `see /home/${'someone'}/notes.txt\n`,
      'docs/registry.md': `npm --registry https://regis${'try'}.npmjs.org\n`,
      'docs/made.md': `This page was Generated with an ${'LL'}M.\n`,
      'docs/fine.md': 'Sessions of users, helpers, an LLM gateway, /home/gatewright/data.\n',
    }),
    breaches: [
      'docs/path.md:2  a path of one machine',
      'docs/home.md:1  a path of one machine',
      'docs/registry.md:1  the host of a registry',
      'docs/made.md:1  a note on how the file was made',
    ],
  },
  {
    gate: 'documents',
    files: () => ({
      'src/main.ts': 'export const main = 1\n',
      'docs/guide.md': [
        'Read `src/main.ts:12`, `src/<slice>/index.ts` and [the code](../src/main.ts#start), then `src/gone.ts`.',
        'See [nothing](gone.md), [the web](https://example.com/x) and [below](#below).',
        '```sh',
        'npm test && npm run nonsense',
        'cat `src/in-a-block.ts`',
        '```',
      ].join('\n'),
      'docs/evidence/day.md': 'It was in `src/gone.ts`.\n',
    }),
    breaches: [
      'docs/guide.md:1  src/gone.ts is not there',
      'docs/guide.md:2  the link gone.md leads nowhere',
      'docs/guide.md:4  there is no npm script nonsense',
    ],
  },
  {
    gate: 'generated files',
    tree: 'generated-files',
    breaches: ['tools/generate-planted.ts  its files are out of date'],
  },
  {
    gate: 'exemptions',
    breaches: ['tools/gates/exemptions.ts  '],
  },
]

/** One line for each breach, as the report prints them. */
async function findBreaches(gate: Gate, root: string): Promise<string[]> {
  const { violations } = await gate.run(createGateContext(root))
  return violations.map(
    ({ file, line, message }) => `${file}${line === undefined ? '' : `:${line}`}  ${message}`,
  )
}

describe('a planted violation is reported, and nothing else', () => {
  for (const plant of plants) {
    const what = plant.tree ?? plant.breaches[0]
    test(`${plant.gate}: ${what}`, async () => {
      const root = plantTree(plant.tree, plant.files?.() ?? {})
      const found = await findBreaches(gateNamed(plant.gate), root)
      for (const breach of plant.breaches) {
        assert.ok(
          found.some((line) => line.startsWith(breach)),
          `not reported: ${breach}\nreported:\n${found.join('\n')}`,
        )
      }
      const unexpected = found.filter((line) => !plant.breaches.some((breach) => line.startsWith(breach)))
      assert.deepEqual(unexpected, [])
    })
  }
})

test('every gate has a planted violation', () => {
  const planted = new Set(plants.map((plant) => plant.gate))
  assert.deepEqual(
    allGates.map((gate) => gate.name).filter((name) => !planted.has(name)),
    [],
  )
})

test('every planted tree is used', () => {
  for (const { tree } of plants) {
    if (tree !== undefined) assert.ok(existsSync(join(projectRoot, 'test', 'planted', tree)), tree)
  }
})

test('a gate that throws fails the check', async () => {
  const printed: string[] = []
  const broken: Gate = {
    name: 'broken',
    limit: '',
    run: () => {
      throw new Error('no rules')
    },
  }
  const fine: Gate = { name: 'fine', limit: '', run: () => ({ violations: [], note: '' }) }
  assert.equal(await check(projectRoot, [broken, fine], (text) => printed.push(text)), 1)
  assert.match(printed[0] ?? '', /^FAIL broken .*\n.*the gate itself failed: Error: no rules/)
  assert.match(printed[1] ?? '', /^ok {3}fine /)
})

test('a licence expression passes when it leaves a permissive choice', () => {
  assert.equal(isPermissive('MIT'), true)
  assert.equal(isPermissive('(GPL-3.0-only OR MIT)'), true)
  assert.equal(isPermissive('MIT AND GPL-3.0-only'), false)
  assert.equal(isPermissive('SSPL-1.0'), false)
  assert.equal(isPermissive(''), false)
})

test('an exemption without a reason, or of a file that is gone, is reported', () => {
  const rows = [
    { name: 'package.json', reason: 'there' },
    { name: 'gone.ts#name', reason: 'was there' },
  ]
  assert.deepEqual(
    findStale(projectRoot, rows, [...rows, { name: 'x', reason: ' ' }]).map((row) => row.message),
    ['gone.ts#name is gone', 'x has no reason'],
  )
})

test('CONTRIBUTING.md names the file of every gate', () => {
  const guide = readFileSync(join(projectRoot, 'CONTRIBUTING.md'), 'utf8')
  const support = new Set(['all-gates', 'exemptions', 'gate', 'linear-regex', 'regex-worker', 'source-files'])
  for (const path of listFiles(projectRoot, 'tools/gates').filter((each) => !each.endsWith('.test.ts'))) {
    const name = path.replace(/^.*\/(.*)\.ts$/, '$1')
    assert.ok(support.has(name) || guide.includes(`\`${path}\``), `${path} is not in the table`)
  }
})
