import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBodyBudget, defaultBodyBudget } from './body-budget.ts'
import { rigForTests } from './harness/gateway-rig.ts'
import { testBounds } from './harness/start-gateway.ts'

const rig = rigForTests(() => ({}))

test('neither one key nor all together get more than their share, and what is given back is free again', () => {
  const budget = createBodyBudget({ totalBytes: 100, keyBytes: 60 })
  const [a, b] = [{ heldBytes: 0 }, { heldBytes: 0 }]
  assert.ok(budget.take(a, 60))
  assert.ok(!budget.take(a, 1))
  assert.ok(budget.take(b, 40))
  assert.ok(!budget.take(b, 1), 'altogether')
  budget.give(a, 60)
  assert.ok(budget.take(b, 20))
  budget.give(b, 60)
  assert.equal(budget.heldBytes, 0)
  assert.ok(budget.take(a, 1000), 'a single body fits')
})

/** Announces a body of the largest size and sends none of it. */
function announce(): Promise<{ readonly socket: Socket; readonly answer: () => string }> {
  const { url, apiKey } = rig.started
  let answer = ''
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${apiKey}\r\n` +
          `content-type: application/json\r\ncontent-length: ${testBounds.bodyBytes}\r\n\r\n{`,
      )
      setTimeout(() => resolve({ socket, answer: () => answer }), 20)
    })
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
    })
  })
}

test('slow bodies of one key take its share and no more, and it is free again when they are gone', async () => {
  const fits = Math.floor(defaultBodyBudget.keyBytes / testBounds.bodyBytes)
  const held = await Promise.all(Array.from({ length: fits }, announce))
  const refused = await announce()
  for (let waited = 0; refused.answer() === '' && waited < 5000; waited += 5) await sleep(5)
  assert.match(refused.answer(), /^HTTP\/1\.1 503 [\s\S]*retry-after: 1\r\n[\s\S]*capacity\.bodies-held/)
  assert.ok(held.every((one) => one.answer() === ''))
  for (const { socket } of [...held, refused]) socket.destroy()
  while (rig.started.gateway.open > 0) await sleep(5)
  const body = { model: 'sandbox', messages: [{ role: 'user', content: 'sandbox: say=hello' }] }
  const again = await Promise.all(
    Array.from({ length: 20 }, () => rig.call('/v1/chat/completions', { body })),
  )
  assert.ok(again.every((answer) => answer.status === 200))
})

test('bodies of unknown length count as they grow, so that small ones do not shut each other out', async () => {
  const body = JSON.stringify({
    model: 'sandbox',
    messages: [{ role: 'user', content: `sandbox: say=hello\n${'x'.repeat(40_000)}` }],
  })
  async function* inPieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < body.length; at += 7000) {
      await sleep(2)
      yield Buffer.from(body.slice(at, at + 7000))
    }
  }
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => rig.call('/v1/chat/completions', { body: inPieces(), method: 'POST' })),
  )
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200])
  assert.match(answers[0]?.text ?? '', /hello/)
})
