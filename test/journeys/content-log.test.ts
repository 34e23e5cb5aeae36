/** Content logging on the running product: off unless asked for, sealed on disk, read back by an administrator. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { request } from 'undici'
import { launcherEnvironment, type Product, startProduct } from './product.ts'

const prompt = 'the merger closes on friday'
const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

async function ask(product: Product): Promise<string> {
  const response = await request(`${product.http}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${product.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: prompt }] }),
  })
  assert.equal(response.statusCode, 200)
  assert.match(await response.body.text(), /merger/)
  return String(response.headers['x-request-id'])
}

/** Every byte that the product left on disk. */
function bytesOf(directory: string): Buffer {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Buffer.concat(files.map((file) => readFileSync(file)))
}

async function runCli(product: Product, ...args: readonly string[]): Promise<string> {
  const environment = { ...launcherEnvironment(), GATEWRIGHT_URL: product.control }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [cli, '--data-dir', join(product.directory, 'data'), ...args],
    { env: environment },
  )
  return stdout
}

test('off by default: no file holds content, and there is no directory for it', async () => {
  const product = await startProduct()
  await ask(product)
  await product.stop({ keep: true })
  assert.equal(existsSync(join(product.directory, 'data', 'content')), false)
  assert.equal(bytesOf(product.directory).includes('merger'), false)
  assert.doesNotMatch(product.output(), /merger/)
  rmSync(product.directory, { recursive: true })
})

test('on: sealed on disk, shown by the command line to who may see it, never in the process log', async () => {
  const product = await startProduct({ config: { contentLog: { enabled: true } } })
  const requestId = await ask(product)
  let shown = ''
  for (let tries = 0; tries < 20 && shown === ''; tries += 1) {
    shown = await runCli(product, 'content', 'show', requestId).catch(() => '')
  }
  assert.match(shown, new RegExp(`^${requestId} .*chat\\.completions`))
  assert.match(shown, /Request \(application\/json, \d+ bytes\)\n.*the merger closes on friday/)
  assert.match(shown, /Response \(application\/json/)
  assert.match(product.output(), /"code":"content\.read"/)
  await product.stop({ keep: true })
  assert.ok(existsSync(join(product.directory, 'data', 'content')))
  assert.equal(bytesOf(product.directory).includes('merger'), false)
  assert.doesNotMatch(product.output(), /merger/)
  rmSync(product.directory, { recursive: true })
})

test('it is switched on and off by a reload, for exchanges that begin after it', async () => {
  const product = await startProduct()
  const reloads = (): number => product.output().split('"code":"config.reloaded"').length - 1
  const reloadWith = async (enabled: boolean): Promise<void> => {
    const before = reloads()
    const text = readFileSync(product.configFile, 'utf8')
      .replace(/^contentLog:.*$/m, '')
      .trimEnd()
    writeFileSync(product.configFile, `${text}\ncontentLog: { enabled: ${enabled} }\n`)
    const deadline = Date.now() + 10_000
    while (reloads() === before && Date.now() < deadline) await sleep(50)
    // The snapshot is on its way to the workers when the reload is reported.
    await sleep(100)
  }
  const unseen = await ask(product)
  await reloadWith(true)
  const seen = await ask(product)
  await reloadWith(false)
  const unseenAgain = await ask(product)
  let shown = ''
  for (let tries = 0; tries < 20 && shown === ''; tries += 1) {
    shown = await runCli(product, 'content', 'show', seen).catch(() => '')
  }
  assert.match(shown, /the merger closes on friday/)
  for (const id of [unseen, unseenAgain])
    await assert.rejects(runCli(product, 'content', 'show', id), /no content/)
  assert.equal(await product.stop(), 0)
})
