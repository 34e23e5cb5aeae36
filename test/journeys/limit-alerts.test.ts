/** Alerts of a running product with two workers: each share once, although requests go on, in log, API and webhook. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Product, startProduct } from './product.ts'

const secret = 'secret-of-the-receiver'

async function ask({ http, apiKey }: Product): Promise<number> {
  const response = await fetch(`${http}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ model: 'sandbox', user: 'ada', messages: [{ role: 'user', content: 'Hello' }] }),
  })
  await response.text()
  return response.status
}

async function listAlerts({ control, adminToken }: Product) {
  const response = await fetch(`${control}/api/v1/organizations/default/limit-alerts`, {
    headers: { authorization: `Bearer ${adminToken}` },
  })
  const { items } = (await response.json()) as {
    readonly items: readonly { readonly threshold: number; readonly subject: string; readonly id: string }[]
  }
  return items
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'not within 10 s')
    await sleep(20)
  }
}

test('a budget with two shares raises exactly two alerts with two workers', async () => {
  const posted: { readonly id: string; readonly isSigned: boolean; readonly body: string }[] = []
  const receiver = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      const signature = String(request.headers['x-gatewright-signature'])
      const seconds = /^t=(\d+),/.exec(signature)?.[1] ?? ''
      const digest = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
      const { id } = JSON.parse(body) as { readonly id: string }
      posted.push({ id, isSigned: signature === `t=${seconds},v1=${digest}`, body })
      response.end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const { port } = receiver.address() as AddressInfo
  const webhook = { url: `http://127.0.0.1:${port}/`, secret: 'env:HOOK_SECRET', allowPrivateNetwork: true }
  const window = { calendar: 'month' }
  const product = await startProduct({
    environment: { HOOK_SECRET: secret },
    config: {
      gateway: { workers: 2, http: { port: 0 }, https: { port: 0 } },
      alerts: { webhook },
      limits: [{ name: 'month', meter: 'requests', amount: 20, window, per: ['user'], alertsAt: [0.5, 0.9] }],
    },
  })
  try {
    const statuses: number[] = []
    for (let turn = 0; turn < 30; turn += 1) statuses.push(await ask(product))
    assert.equal(statuses.filter((status) => status === 200).length, 20)
    await until(async () => (await listAlerts(product)).length >= 2 && posted.length >= 2)
    await sleep(200)
    const items = await listAlerts(product)
    assert.deepEqual(items.map(({ threshold, subject }) => [threshold, subject]).toSorted(), [
      [0.5, 'ada'],
      [0.9, 'ada'],
    ])
    assert.deepEqual(posted.map(({ id }) => id).toSorted(), items.map(({ id }) => id).toSorted())
    assert.ok(posted.every(({ isSigned, body }) => isSigned && !body.includes('"ada"')))
    const entries = product
      .output()
      .split('\n')
      .filter((line) => line.includes('"limit.alert"'))
    assert.equal(entries.length, 2)
    assert.ok(entries.every((line) => line.includes('"warn"') && !line.includes('ada')))
  } finally {
    await product.stop()
    receiver.closeAllConnections()
    receiver.close()
  }
})
