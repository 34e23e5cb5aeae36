/** Access tokens on a running product with two workers: from the command that trusts an issuer to the revocation. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from '../../bench/load/processes.ts'
import {
  signProof,
  startTestIssuer,
  testAudience,
  thumbprintOfKey,
} from '../fixtures/token-issuer/token-issuer.ts'
import { startProduct } from './product.ts'

const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const issuer = await startTestIssuer()
const [http, https] = [await freePort(), await freePort()]
const product = await startProduct({
  config: { gateway: { http: { port: http }, https: { port: https }, workers: 2 } },
})
after(async () => {
  await product.stop()
  await issuer.close()
})

async function gatewright(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, GATEWRIGHT_URL: product.control, GATEWRIGHT_TOKEN: product.adminToken }
  return (await promisify(execFile)(process.execPath, [cli, ...args], { env })).stdout
}

async function call(token: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const own = { authorization: `Bearer ${token}`, connection: 'close', ...headers }
  return fetch(`${product.http}/v1/models`, { headers: own })
}

/** Statuses of calls on connections of their own, so that both workers get some. */
async function statuses(token: string): Promise<ReadonlySet<number>> {
  return new Set(await Promise.all(Array.from({ length: 12 }, async () => (await call(token)).status)))
}

async function until(wanted: number, token: string, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const seen = await statuses(token)
    if (seen.size === 1 && seen.has(wanted)) return
    assert.ok(performance.now() < deadline, `statuses ${[...seen].join(', ')}`)
    await sleep(20)
  }
}

test('an issuer is trusted by a command, its tokens open every worker, and a revocation shuts them within a second', async () => {
  const own = [
    '--app',
    'first-application',
    '--audience',
    testAudience,
    '--allow-private-network',
    '--origin',
    product.http,
  ]
  await gatewright('issuers', 'add', 'test', issuer.url, ...own, '--dpop', 'optional')
  const token = await issuer.sign()
  await until(200, token, 2000)
  assert.match(await gatewright('issuers', 'list'), /test .*1 keys/)

  const key = issuer.keys[0] ?? assert.fail()
  const bound = await issuer.sign({ claims: { cnf: { jkt: await thumbprintOfKey(key) } } })
  const proof = await signProof(key, { url: `${product.http}/v1/models`, token: bound })
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => call(bound, { authorization: `DPoP ${bound}`, dpop: proof })),
  )
  assert.equal(answers.filter(({ status }) => status === 200).length, 1, 'one worker takes it, once')

  await gatewright('issuers', 'revoke', 'test', '--subject', 'client-1')
  const began = performance.now()
  await until(401, token, 1000)
  assert.ok(performance.now() - began < 1000)
  const { error } = (await (await call(token)).json()) as { error: { code: string } }
  assert.equal(error.code, 'auth.invalid-token')
  assert.match(await gatewright('issuers', 'revocations', 'test'), /subject .*client-1/)
})
