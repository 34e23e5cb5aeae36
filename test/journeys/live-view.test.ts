/** `gatewright tail` against a started product: what callers do is seen. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { OversightEvent } from '../../src/domain/oversight-event.ts'
import { type Product, startProduct } from './product.ts'

const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

function startTail(product: Product, args: readonly string[]) {
  const child = spawn(process.execPath, [cli, 'tail', ...args], {
    env: { ...process.env, GATEWRIGHT_URL: product.control, GATEWRIGHT_TOKEN: product.adminToken },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  let complaint = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString()
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { lines: () => text.split('\n').filter((line) => line !== ''), complaint: () => complaint, ended }
}

async function ask({ http, apiKey }: Product, model = 'sandbox'): Promise<number> {
  const response = await fetch(`${http}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
  })
  await response.arrayBuffer()
  return response.status
}

/** Asks until the tail shows something: it takes a moment to connect. */
async function askUntilSeen(product: Product, lines: () => readonly string[]): Promise<void> {
  const until = Date.now() + 20_000
  while (lines().length === 0 && Date.now() < until) {
    assert.equal(await ask(product), 200)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

test('a tail shows calls as they end, as lines or JSON, by filter, and ends in time', async () => {
  const product = await startProduct()
  try {
    const all = startTail(product, ['--json', '--for', '12s'])
    const plain = startTail(product, ['--for', '12s'])
    const failures = startTail(product, ['--outcome', 'failure', '--for', '12s'])
    await askUntilSeen(product, all.lines)
    await askUntilSeen(product, plain.lines)
    await ask(product, 'there-is-no-such-model')
    assert.deepEqual(await Promise.all([all.ended, plain.ended, failures.ended]), [0, 0, 0])
    const events = all.lines().map((line) => JSON.parse(line) as OversightEvent)
    assert.ok(events.some((event) => event.action === 'exchange.completed'))
    assert.match(
      plain.lines()[0] ?? '',
      /^\d\d:\d\d:\d\d\.\d{3} {2}access {2,}info {2,}200 {2}exchange\.completed/,
    )
    assert.ok(!plain.lines().join('').includes('\u001b['), 'no colours where nobody looks')
    assert.ok(failures.lines().every((line) => !line.includes('exchange.completed')))
  } finally {
    await product.stop()
  }
})
