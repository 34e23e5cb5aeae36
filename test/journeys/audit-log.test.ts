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
  readonly reason: string
  readonly actor: { readonly kind: string }
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

/** Entries of an action after the first `before`, once there are as many as `count`. */
async function newEntries(
  product: Product,
  { before, action, count }: { readonly before: number; readonly action: string; readonly count: number },
): Promise<readonly Entry[]> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const found = (await entriesOf(product)).slice(before).filter((entry) => entry.action === action)
    if (found.length >= count) return found
    assert.ok(Date.now() < deadline, `${action} was not recorded`)
    await sleep(100)
  }
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

test('a reload is in the log, with what came of it, and so are requests that were denied', async (t) => {
  const product = await startProduct()
  t.after(() => product.stop())
  assert.equal((await createOrganization(product, 'one')).status, 201)
  const text = readFileSync(product.configFile, 'utf8')
  const before = (await entriesOf(product)).length
  writeFileSync(product.configFile, `${text}\norganizations:\n  - { slug: reloaded, name: Reloaded }\n`)
  const reloads = await newEntries(product, { before, action: 'configuration.apply', count: 2 })
  assert.deepEqual(
    reloads.map(({ phase, outcome }) => [phase, outcome]),
    [
      ['intent', 'unknown'],
      ['result', 'success'],
    ],
  )
  const stranger = 'gwr_test_0123456789'
  assert.equal(await ask(product, stranger), 401)
  const { statusCode, body } = await request(`${product.http}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${product.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'no-such-model', messages: [] }),
  })
  await body.dump()
  assert.equal(statusCode, 404)
  const [unknown] = await newEntries(product, { before, action: 'auth.refused', count: 1 })
  const [known] = await newEntries(product, { before, action: 'access.refused', count: 1 })
  assert.deepEqual([unknown?.reason, unknown?.actor.kind], ['auth.invalid-key', 'unknown'])
  assert.deepEqual([known?.reason, known?.actor.kind], ['access.model-not-found', 'key'])
  const all = (await cli(product, 'audit', 'export', '--reveal')).out
  for (const text of [stranger, 'no-such-model']) assert.ok(!all.includes(text), text)
})
