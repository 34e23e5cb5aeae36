/**
 * The whole product killed (SIGKILL) in the midst of its load, three times over one data directory. What callers got
 * and what is on record is compared by request id.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { type Product, startProduct } from './product.ts'
import { readLoggedIds, summedRequests, waitForSum } from './usage-on-disk.ts'

const kills = 3
const callers = 4
/** Of what a caller had its whole answer this long before the kill, nothing may be missing; milliseconds. */
const safeAfterMs = 1000

/** Calls without pause until the product is gone. Request id → when the whole answer was there. */
async function callUntilGone(product: Product, apiKey: string, answered: Map<string, number>): Promise<void> {
  const dispatcher = new Agent()
  const options = {
    dispatcher,
    method: 'POST' as const,
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'sandbox: say=ok' }] }),
  }
  try {
    for (;;) {
      const answer = await request(`${product.http}/v1/chat/completions`, options)
      await answer.body.text()
      assert.equal(answer.statusCode, 200)
      answered.set(String(answer.headers['x-gatewright-request-id']), performance.now())
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
  } finally {
    await dispatcher.destroy()
  }
}

test('after each of three kills under load, every logged request is summed exactly once, and only the last moment is missing', async (t) => {
  let product = await startProduct()
  t.after(() => void product.process.kill('SIGKILL'))
  const { apiKey, directory } = product
  let served = 0
  let missing = 0
  let worstMs = 0
  for (let round = 0; round < kills; round += 1) {
    const answered = new Map<string, number>()
    const calls = Array.from({ length: callers }, () => callUntilGone(product, apiKey, answered))
    // Somewhere within flush (50 ms) and summing (1 s), elsewhere each time.
    await sleep(1300 + round * 137)
    const killedAt = performance.now()
    product.process.kill('SIGKILL')
    await Promise.all(calls)
    await product.stop({ keep: true })

    const logged = new Set(await readLoggedIds(directory))
    for (const [id, at] of answered) {
      if (logged.has(id)) continue
      missing += 1
      worstMs = Math.max(worstMs, killedAt - at)
    }
    served += answered.size
    assert.ok(answered.size > 50, `${answered.size} requests were served`)
    product = await startProduct({ directory })
    await waitForSum(product, logged.size)
    // A pass of the summing later it is still the same: nothing is counted twice.
    if (round === kills - 1) await sleep(1500)
    assert.equal(await summedRequests(product), logged.size)
  }
  t.diagnostic(
    `${kills} kills, ${served} answers: ${missing} records lost, the oldest answered ${Math.round(worstMs)} ms before the kill`,
  )
  assert.ok(worstMs < safeAfterMs, `a record of ${worstMs} ms before the kill is missing`)
  assert.equal(await product.stop(), 0)
})
