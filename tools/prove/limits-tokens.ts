/**
 * The race that other gateways lose: clients that ask at once under one limit on tokens, against a started product
 * with two workers. What they used is read from the answers.
 */
import { request } from 'undici'
import { type Product, startProduct } from '../../test/journeys/product.ts'
import { atMost, type ProofOptions, type ProofRow } from './slice.ts'

const clients = 8
const tokensPerMinute = 100
const outputTokens = 20
/** An estimate may differ from what the provider counts by so much. */
const estimateError = 10

async function setLimit(product: Product): Promise<void> {
  const { statusCode, body } = await request(`${product.control}/api/v1/organizations/default/limits`, {
    method: 'POST',
    headers: { authorization: `Bearer ${product.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'tpm', meter: 'total-tokens', amount: tokensPerMinute, window: 'minute' }),
  })
  const text = await body.text()
  if (statusCode !== 201) throw new Error(`the limit was refused: ${text}`)
}

/** Tokens that one call used; 0: it was refused. */
async function ask({ http, apiKey }: Product): Promise<number> {
  const content = `sandbox: tokens=${outputTokens}`
  const { statusCode, body } = await request(`${http}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'sandbox',
      max_tokens: outputTokens,
      messages: [{ role: 'user', content }],
    }),
  })
  const answer = (await body.json()) as { readonly usage?: { readonly total_tokens: number } }
  if (statusCode !== 200 && statusCode !== 429) throw new Error(`answered ${statusCode}`)
  return statusCode === 200 ? (answer.usage?.total_tokens ?? Number.NaN) : 0
}

export async function proveTokens({ say }: ProofOptions): Promise<readonly ProofRow[]> {
  const product = await startProduct({ config: { gateway: { workers: 2 } } })
  try {
    await setLimit(product)
    // It reaches the workers within a second.
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const from = performance.now()
    let used = 0
    for (let turn = 0; turn < 10; turn += 1) {
      const tokens = await Promise.all(Array.from({ length: clients }, () => ask(product)))
      used += tokens.reduce((sum, each) => sum + each, 0)
    }
    const returned = Math.ceil(((performance.now() - from) / 60_000) * tokensPerMinute)
    say(`  ${used} tokens used, of ${tokensPerMinute} and ${returned} that came back meanwhile`)
    return [
      atMost(`${clients} clients at once, ${tokensPerMinute} tokens/min: used`, used - returned, {
        limit: tokensPerMinute + estimateError,
        unit: 'tokens',
      }),
      {
        claim: 'the same: not refused although there was room',
        target: `≥ ${tokensPerMinute / 2}`,
        measured: used,
        unit: 'tokens',
        ok: used >= tokensPerMinute / 2,
      },
    ]
  } finally {
    await product.stop()
  }
}
