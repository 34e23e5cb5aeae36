/**
 * A database dump shows no secret, nor does anything else that a running product leaves on disk: every file of the
 * data directory is searched for every kind of secret, while it runs, and after it was killed.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { request } from 'undici'
import { openFileSecretBox } from '../../src/adapters/file-secret-box/open-file-secret-box.ts'
import { openSqliteStore } from '../../src/adapters/sqlite/open-sqlite-store.ts'
import { openPepperBook } from '../../src/identity/index.ts'
import { type Product, startProduct } from './product.ts'

/** Files that are secrets themselves, kept for their owner alone: the root key, and the token of this machine. */
const secretFiles: ReadonlySet<string> = new Set(['root.key', 'admin-token'])

interface Shown {
  readonly secret: string
  readonly key?: { readonly id: string }
}

/** A request to the admin API whose reply is kept under an idempotency key. */
async function admin(product: Product, path: string, body: object): Promise<Shown> {
  const response = await request(`${product.control}/api/v1${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${product.adminToken}`,
      'content-type': 'application/json',
      'idempotency-key': path,
    },
    body: JSON.stringify(body),
  })
  assert.ok(response.statusCode < 300, path)
  return (await response.body.json()) as Shown
}

async function use(product: Product, apiKey: string, model: string): Promise<void> {
  const response = await request(`${product.http}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'marker-of-a-prompt' }] }),
  })
  await response.body.dump()
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** The ways in which a secret could stand in a file. `bytes`: of what is no text. */
function formsOf(secret: string | Buffer): Buffer[] {
  const bytes = Buffer.from(secret)
  const texts = [
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ]
  return [bytes, ...texts.map((text) => Buffer.from(text))]
}

function search(directory: string, secrets: ReadonlyMap<string, string | Buffer>): string[] {
  const found: string[] = []
  for (const file of filesOf(directory)) {
    if (secretFiles.has(file.slice(directory.length + 1))) continue
    const content = readFileSync(file)
    for (const [name, secret] of secrets) {
      if (formsOf(secret).some((form) => content.includes(form))) found.push(`${name} in ${file}`)
    }
  }
  return found
}

/** The whole text, and its end alone: the part that opens. */
function partsOf(name: string, text: string): [string, string][] {
  assert.ok(text.length > 40, name)
  return [
    [name, text],
    [`the end of ${name}`, text.slice(-20)],
  ]
}

test('no file of the data directory holds a secret, but root.key and admin-token', async (t) => {
  const product = await startProduct({
    config: { contentLog: { enabled: true } },
    environment: { OPENAI_API_KEY: 'sk-of-the-environment-0123456789' },
  })
  const { directory } = product
  const data = join(directory, 'data')
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const organization = '/organizations/default'
  await admin(product, `${organization}/deployments`, {
    slug: 'sealed',
    provider: 'openai-compatible',
    baseUrl: 'http://127.0.0.1:9/v1',
    allowPrivateNetwork: true,
    credential: { secrets: { apiKey: 'sk-of-a-credential-0123456789' } },
  })
  await admin(product, `${organization}/routes`, { name: 'sealed', targets: [{ deployment: 'sealed' }] })
  const made = await admin(product, `${organization}/keys`, { application: 'first-application', name: 'a' })
  const turned = await admin(product, `${organization}/keys/${made.key?.id}/rotate`, { overlapSeconds: 60 })
  const token = await admin(product, '/admin-tokens', { name: 'look', scopes: ['read'] })
  await admin(product, '/secrets/pepper/rotate', {})
  for (const apiKey of [product.apiKey, turned.secret]) {
    for (const model of ['sandbox', 'sealed']) await use(product, apiKey, model)
  }
  const setupToken = product.setupPath.split('#')[1] ?? ''
  assert.match(setupToken, /^gws_/)

  const secrets = new Map<string, string | Buffer>([
    ...partsOf('the first API key', product.apiKey),
    ...partsOf('an API key', made.secret),
    ...partsOf('a rotated API key', turned.secret),
    ...partsOf('an admin token', token.secret),
    ...partsOf('the token of the command line', product.adminToken),
    ...partsOf('the set-up token', setupToken),
    ['a sealed credential', 'sk-of-a-credential-0123456789'],
    ['a credential of the environment', 'sk-of-the-environment-0123456789'],
    ['the root key', readFileSync(join(data, 'root.key'))],
    ['logged content', 'marker-of-a-prompt'],
  ])
  assert.deepEqual(search(data, secrets), [], 'while it runs')
  const inLog = product
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
  for (const [name, secret] of secrets) assert.ok(!inLog.join('\n').includes(secret.toString()), name)

  const killed = new Promise((resolve) => product.process.once('exit', resolve))
  product.process.kill('SIGKILL')
  await killed
  assert.deepEqual(search(data, secrets), [], 'after it was killed')

  // Peppers are known to the product alone: opened here as the next start does.
  const { store, close } = await openSqliteStore({ path: join(data, 'gatewright.db') })
  const { opened } = await openPepperBook(store, openFileSecretBox({ path: join(data, 'root.key') }))
  const peppers = Object.entries(opened.encoded).map(([version, pepper]): [string, Buffer] => [
    `pepper ${version}`,
    Buffer.from(pepper, 'base64'),
  ])
  assert.equal(peppers.length, 2)
  assert.deepEqual(search(data, new Map(peppers)), [])
  await close()

  // The search finds what is there: the id of the key stands in database and usage log, and each kind of file was read.
  const seen = search(data, new Map([['id', made.key?.id ?? '']])).join('\n')
  assert.match(seen, /gatewright\.db/)
  const names = filesOf(data).join('\n')
  for (const kind of [/gatewright\.db-wal|gatewright\.db$/m, /\/usage\//, /\/content\//, /\/tls\//])
    assert.match(names, kind)
})
