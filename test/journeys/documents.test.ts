/**
 * The commands in the documents do what the documents say: the shell blocks of the README and the guides run against
 * the product as a newcomer's would, with this run's ports and key in place of the printed ones. Every configuration
 * and every JSON in them is valid.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import { configSchema } from '../../src/config/index.ts'
import { parseConfigText } from '../../src/config/parse.ts'
import { launcherEnvironment, type Product, startProduct } from './product.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
let product: Product

/** One for all documents: a reader of one has often followed others before. */
before(async () => {
  product = await startProduct()
})
after(() => product.stop())

/** Guides whose commands say how a product is that nobody has changed. */
const alone: ReadonlySet<string> = new Set(['docs/guides/operating.md'])

async function onOwnProduct(check: () => Promise<void>): Promise<void> {
  const shared = product
  product = await startProduct()
  try {
    await check()
  } finally {
    await product.stop()
    product = shared
  }
}

interface Block {
  readonly language: string
  readonly text: string
}

function blocksOf(file: string): Block[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map((match) => ({
    language: match[1] ?? '',
    text: match[2] ?? '',
  }))
}

/** The printed addresses and key, replaced by this run's; the command replaced by this checkout's. */
function localised(text: string): string {
  return text
    .replaceAll('http://127.0.0.1:8080', product.http)
    .replaceAll('http://127.0.0.1:9080', product.control)
    .replaceAll('gwr_live_…', product.apiKey)
    .replaceAll('npx gatewright', `"${process.execPath}" "${join(root, 'src/cli/main.ts')}"`)
}

function shell(script: string) {
  return run('bash', ['--norc', '--noprofile', '-euo', 'pipefail', '-c', script], {
    cwd: root,
    timeout: 60_000,
    env: {
      ...launcherEnvironment(),
      HOME: product.directory,
      GATEWRIGHT_URL: product.control,
      GATEWRIGHT_TOKEN: product.adminToken,
      GATEWRIGHT_KEY: product.apiKey,
      GATEWRIGHT_DATA_DIR: join(product.directory, 'data'),
      OPENAI_API_KEY: 'sk-of-a-reader-0123456789',
    },
  })
}

/** Blocks that install or start the product itself are what `startProduct` has done. */
const startsProduct = /^(?:git clone|npm start)|npm start$|API_KEY=… /m

/** Guides whose commands are not run here, and why. */
const notRun: ReadonlyMap<string, string> = new Map([
  [
    'docs/guides/benchmarks.md',
    'they load the machine for minutes; `npm run bench` and `npm run prove` are run by hand',
  ],
  ['docs/guides/deploying.md', 'they need Docker, a cluster or root; `deploy/` has tests of its own'],
  [
    'docs/guides/dashboards.md',
    'they need Docker, or are these tests; tools/monitoring.test.ts checks what they start',
  ],
  [
    'docs/guides/storage.md',
    'they write a root key into the working directory and migrate a PostgreSQL of the reader; many-nodes-migration.test.ts does',
  ],
])

const guides = readdirSync(join(root, 'docs/guides')).map((name) => `docs/guides/${name}`)
const documents = ['README.md', ...guides]

function commandsOf(file: string): Block[] {
  return blocksOf(file).filter((block) => block.language === 'sh' && !startsProduct.test(block.text))
}

test('every guide whose commands are left out is there, and has some', () => {
  for (const [file] of notRun) assert.ok(guides.includes(file) && commandsOf(file).length > 0, file)
})

for (const file of documents) {
  const blocks = notRun.has(file) ? [] : commandsOf(file)
  if (blocks.length > 0)
    test(`every shell command of ${file} works`, async () => {
      const check = () => runBlocks(blocks)
      await (alone.has(file) ? onOwnProduct(check) : check())
    })
}

async function runBlocks(blocks: readonly Block[]): Promise<void> {
  for (const block of blocks) {
    const { stdout } = await shell(localised(block.text)).catch(
      (error: Error & { stdout?: string; stderr?: string }) => {
        throw new Error(`${block.text}\n${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
      },
    )
    if (block.text.includes('/v1/chat/completions')) assert.match(stdout, /\[sandbox\]/)
  }
}

/** The chart's values hold a configuration, Prometheus has its own, which must only parse; other blocks are one. */
function configurationOf(text: string): string {
  const parsed: unknown = parse(text)
  if (text.startsWith('# values.yaml')) return stringify((parsed as { config: unknown }).config)
  return text.startsWith('scrape_configs:') ? '' : text
}

test('every configuration in the README and the guides is valid', () => {
  let met = 0
  for (const file of documents) {
    for (const { text } of blocksOf(file).filter(({ language }) => language === 'yaml')) {
      assert.doesNotThrow(
        () => parseConfigText(configurationOf(text), file, configSchema),
        `${file}\n${text}`,
      )
      met += 1
    }
  }
  assert.ok(met > 5)
})

test('every JSON in the README and the guides parses', () => {
  for (const file of documents) {
    for (const { text } of blocksOf(file).filter(({ language }) => language === 'json')) {
      assert.doesNotThrow(() => JSON.parse(text), `${file}\n${text}`)
    }
  }
})

test('the code of the README runs as it stands', async () => {
  const block = blocksOf('README.md').find(({ language }) => language === 'js')
  assert.ok(block !== undefined)
  const file = join(root, 'node_modules', '.cache', 'readme-example.mjs')
  await shell(`mkdir -p "${join(root, 'node_modules', '.cache')}"`)
  writeFileSync(file, localised(block.text))
  const { stdout } = await shell(`"${process.execPath}" "${file}"`)
  assert.match(stdout, /\[sandbox\]/)
})

test('the printed first request and snippet work as printed', async () => {
  const output = product.output()
  const curl = /( {4}curl [\s\S]*?'\n)/.exec(output.slice(output.indexOf('Try it')))?.[1] ?? ''
  assert.match(curl, /authorization/)
  assert.match((await shell(curl)).stdout, /\[sandbox\]/)
  const snippet = output.slice(
    output.indexOf('    import OpenAI'),
    output.indexOf("?? '')") + "?? '')".length,
  )
  const file = join(root, 'node_modules', '.cache', 'printed-example.mjs')
  writeFileSync(file, snippet)
  assert.match((await shell(`"${process.execPath}" "${file}"`)).stdout, /\[sandbox\]/)
})

test('npm start explains itself, checks a configuration, and refuses a wrong one with its place', async () => {
  const start = (args: string) => shell(`"${process.execPath}" "${join(root, 'src/main.ts')}" ${args}`)
  assert.match((await start('--help')).stdout, /--data-dir/)
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-'))
  const file = join(directory, 'gatewright.yaml')
  writeFileSync(file, 'bounds:\n  jsonDepth: 10\n')
  assert.match((await start(`--check --config "${file}"`)).stdout, /valid/)
  writeFileSync(file, 'bounds:\n  jsonDepth: ten\n')
  await assert.rejects(start(`--check --config "${file}"`), /gatewright\.yaml:2: bounds\.jsonDepth/)
})
