/** What an auditor can prove about a product that runs, was killed, and was tampered with. */
import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { runCli } from '../../src/cli/create-program.ts'
import { type Product, startProduct } from './product.ts'

async function createOrganization(product: Product, slug: string): Promise<{ status: number; id: string }> {
  const { statusCode, headers, body } = await request(`${product.control}/api/v1/organizations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${product.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ slug }),
  })
  await body.dump()
  return { status: statusCode, id: String(headers['x-request-id']) }
}

async function ask(product: Product, apiKey: string): Promise<number> {
  const { statusCode, body } = await request(`${product.http}/v1/models`, {
    headers: { authorization: `Bearer ${apiKey}` },
  })
  await body.dump()
  return statusCode
}

/** The command line beside the data directory of the product; it needs no gateway. */
async function cli(product: Product, ...args: readonly string[]) {
  let out = ''
  let err = ''
  const code = await runCli(args, {
    environment: { GATEWRIGHT_DATA_DIR: join(product.directory, 'data') },
    directory: product.directory,
    out(text) {
      out += text
    },
    err(text) {
      err += text
    },
    readInput: async () => '',
    now: Date.now,
  })
  return { code, out, err }
}

interface Entry {
  readonly id: string
  readonly action: string
  readonly outcome: string
  readonly phase?: string
  readonly after?: { readonly slug?: string }
}

async function entriesOf(product: Product): Promise<readonly Entry[]> {
  const { code, out, err } = await cli(product, 'audit', 'export')
  assert.equal(code, 0, err)
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry)
}

test('a product killed in the middle of changes has every change that it answered in a log that verifies', async (t) => {
  let product = await startProduct()
  t.after(() => product.stop())
  const answered: { slug: string; id: string }[] = []
  let number = 0
  for (let round = 0; round < 3; round += 1) {
    const { directory } = product
    const changing = (async () => {
      for (;;) {
        number += 1
        const slug = `org-${number}`
        const { status, id } = await createOrganization(product, slug)
        if (status === 201) answered.push({ slug, id })
      }
    })().catch(() => undefined)
    await sleep(1200)
    product.process.kill('SIGKILL')
    await changing
    await product.stop({ keep: true })
    product = await startProduct({ directory })
    assert.equal((await createOrganization(product, `after-${round}`)).status, 201)
  }
  assert.ok(answered.length > 5, `${answered.length} were answered`)
  const verdict = await cli(product, 'audit', 'verify')
  assert.equal(verdict.code, 0, verdict.out + verdict.err)
  const entries = await entriesOf(product)
  for (const { slug, id } of answered) {
    const of = entries.filter((entry) => entry.id === id || entry.id === `${id}.intent`)
    assert.deepEqual(
      of.map(({ phase }) => phase),
      ['intent', 'result'],
      slug,
    )
    assert.equal(of[1]?.after?.slug, slug)
  }
  for (const action of [
    'installation.create',
    'control-plane.start',
    'configuration.apply',
    'sign-in.accept',
  ]) {
    assert.ok(
      entries.some((entry) => entry.action === action),
      action,
    )
  }
  const [first] = answered
  assert.equal((await cli(product, 'audit', 'prove', first?.id ?? '', '--out', 'proof')).code, 0)
  const checked = await cli(product, 'audit', 'check', 'proof')
  assert.equal(checked.code, 0, checked.err)
  assert.ok(checked.out.includes(first?.slug ?? '-'))
})

test('a log that was changed while the product was down takes nothing more: changes are refused, callers are served', async (t) => {
  let product = await startProduct()
  t.after(() => product.stop())
  assert.equal((await createOrganization(product, 'one')).status, 201)
  const { directory, apiKey } = product
  await product.stop({ keep: true })
  const log = join(directory, 'data', 'audit')
  const copy = join(directory, 'whole')
  cpSync(log, copy, { recursive: true })
  // An older state of the log, as it was before the last entry.
  const [, sizeText = ''] = readFileSync(join(log, 'checkpoint'), 'utf8').split('\n')
  const size = Number(sizeText)
  rmSync(join(log, 'tile', 'entries', '000.p', String(size)))
  product = await startProduct({ directory })
  const refused = await createOrganization(product, 'two')
  assert.equal(refused.status, 503)
  assert.equal(await ask(product, apiKey), 200)
  assert.match(product.output(), /The audit log cannot be opened: tile\/entries\/000\.p\/\d+ is missing/)
  assert.equal((await cli(product, 'audit', 'verify')).code, 1)
  await product.stop({ keep: true })
  rmSync(log, { recursive: true })
  cpSync(copy, log, { recursive: true })
  product = await startProduct({ directory })
  assert.equal((await createOrganization(product, 'two')).status, 201)
  assert.equal((await cli(product, 'audit', 'verify')).code, 0)
})

test('a reload is in the log, with what came of it', async (t) => {
  const product = await startProduct()
  t.after(() => product.stop())
  assert.equal((await createOrganization(product, 'one')).status, 201)
  const text = readFileSync(product.configFile, 'utf8')
  const before = (await entriesOf(product)).length
  writeFileSync(product.configFile, `${text}\norganizations:\n  - { slug: reloaded, name: Reloaded }\n`)
  const deadline = Date.now() + 10_000
  let reloads: readonly Entry[] = []
  while (reloads.length < 2) {
    assert.ok(Date.now() < deadline, 'no reload was recorded')
    await sleep(100)
    reloads = (await entriesOf(product))
      .slice(before)
      .filter(({ action }) => action === 'configuration.apply')
  }
  assert.deepEqual(
    reloads.map(({ phase, outcome }) => [phase, outcome]),
    [
      ['intent', 'unknown'],
      ['result', 'success'],
    ],
  )
})
