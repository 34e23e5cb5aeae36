/** `limits explain` on a running product with two workers: what the requests of a key have left of each counter. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Product, startProduct } from './product.ts'

const limits = [
  { name: 'calls', meter: 'requests', amount: 100, window: 'day', per: ['key'] },
  { name: 'answers', meter: 'output-tokens', amount: 1_000_000, window: 'day', per: ['application'] },
  { name: 'month', meter: 'requests', amount: 50, window: { calendar: 'month' }, per: ['organization'] },
  { name: 'elsewhere', meter: 'requests', amount: 1, window: 'day', per: [], match: { models: ['other'] } },
]

async function ask({ http, apiKey }: Product): Promise<number> {
  const response = await fetch(`${http}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'Hello' }] }),
  })
  await response.text()
  return response.status
}

interface Explained {
  readonly name: string
  readonly applies: boolean
  readonly remaining: number | null
}

async function explain(product: Product): Promise<ReadonlyMap<string, Explained>> {
  const keyId = product.apiKey.split('_')[2] ?? ''
  const response = await fetch(
    `${product.control}/api/v1/organizations/default/keys/${keyId}/limits?model=sandbox`,
    { headers: { authorization: `Bearer ${product.adminToken}` } },
  )
  assert.equal(response.status, 200)
  const { items } = (await response.json()) as { readonly items: readonly Explained[] }
  return new Map(items.map((item) => [item.name, item]))
}

test('an explanation shows what is left, whichever worker has served, and what does not apply', async () => {
  const product = await startProduct({
    config: { gateway: { workers: 2, http: { port: 0 }, https: { port: 0 } }, limits },
  })
  try {
    for (let turn = 0; turn < 8; turn += 1) assert.equal(await ask(product), 200)
    const explained = await explain(product)
    assert.equal(explained.get('calls')?.remaining, 92)
    assert.equal(explained.get('month')?.remaining, 42)
    assert.ok((explained.get('answers')?.remaining ?? 1e9) < 1_000_000)
    assert.deepEqual(
      [explained.get('elsewhere')?.applies, explained.get('elsewhere')?.remaining],
      [false, null],
    )
  } finally {
    await product.stop()
  }
})
