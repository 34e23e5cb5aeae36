/** A product with something to see, and traffic that shows it: models, failures, refusals, limits, waits, streams. */
import { connect } from 'node:net'
import { mintAdminToken } from '../../src/identity/index.ts'
import type { UpstreamServer } from '../fixtures/upstream/upstream-server.ts'
import type { Product } from './product.ts'
import { tlsFetch } from './tls-fetch.ts'

const day = { window: { calendar: 'day', timeZone: 'UTC' }, per: [] }

export function monitoredConfig(upstream: UpstreamServer): Record<string, unknown> {
  const deployment = (slug: string, own: object) => ({
    slug,
    provider: 'openai',
    baseUrl: upstream.url,
    credential: { apiKey: 'env:UPSTREAM_KEY' },
    allowPrivateNetwork: true,
    ...own,
  })
  const model = (name: string, own: object, target: object = {}) => ({
    name,
    targets: [{ deployment: 'main', model: 'gpt-4o', ...target }],
    ...own,
  })
  return {
    gateway: { workers: 2 },
    sinks: [{ name: 'file', batchMs: 0, jsonlFile: { path: 'events.jsonl' } }],
    deployments: [
      deployment('main', { region: 'eu-west' }),
      deployment('away', { baseUrl: 'http://127.0.0.1:1/v1' }),
    ],
    models: [
      model('priced', {}),
      model('kept', { policy: { cache: { ttlMs: 60_000 } } }),
      model('unpriced', {}, { model: 'nobody-knows-its-price' }),
      {
        name: 'fallback',
        targets: [
          { deployment: 'away', model: 'gpt-4o' },
          { deployment: 'main', model: 'gpt-4o-mini', priority: 1 },
        ],
      },
    ],
    limits: [
      {
        name: 'month',
        meter: 'cost',
        amount: 1_000_000_000,
        window: { calendar: 'month', timeZone: 'UTC' },
        per: [],
        match: { models: ['priced'] },
      },
      { name: 'input', meter: 'input-tokens', amount: 1e9, window: '1m', per: ['application'] },
      { name: 'few', meter: 'requests', amount: 2, ...day, match: { users: ['ada'] } },
      { name: 'trial', meter: 'requests', amount: 1, ...day, mode: 'shadow' },
      {
        name: 'place',
        meter: 'concurrent-requests',
        amount: 1,
        per: [],
        match: { users: ['line'] },
        whenExceeded: 'queue',
      },
    ],
  }
}

export const monitoredEnvironment = { UPSTREAM_KEY: 'sk-upstream-secret-0123456789' }

const long = 'many words that are counted one by one '.repeat(20)

/** One round of everything; ends when all is answered. */
export async function sendRound({ http, https, control, apiKey, authority }: Product): Promise<void> {
  const post = async (own: object, { origin = http, key = apiKey, via = fetch } = {}): Promise<void> => {
    const body = { model: 'priced', messages: [{ role: 'user', content: 'Hello' }], ...own }
    const response = await via(`${origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    await response.text()
  }
  const say = (text: string) => ({ messages: [{ role: 'user', content: text }] })
  await Promise.allSettled([
    post({}),
    post(say(`sandbox: cached=3 reasoning\n${long}`)),
    post({ stream: true, ...say('sandbox: tokens=20 chunk-delay=5ms') }),
    post({ model: 'kept' }),
    post({ model: 'unpriced' }),
    post({ model: 'fallback' }),
    post({ stream: true, model: 'fallback', ...say('sandbox: tokens=5') }),
    post(say('sandbox: fail=500')),
    post(say('sandbox: fail=429 retry-after=0')),
    post({ model: 'unknown' }),
    post({ user: 'ada' }),
    post({ user: 'line', ...say('sandbox: delay=60ms') }),
    post({ user: 'line', ...say('sandbox: delay=60ms') }),
    post({}, { key: 'nothing' }),
    post({}, { origin: https, via: tlsFetch(authority) }),
    fetch(`${http}/v1/models`, { headers: { authorization: `Bearer ${apiKey}` } }),
    failHandshake(https),
    askWithWrongToken(control),
  ])
}

async function askWithWrongToken(control: string): Promise<void> {
  const response = await fetch(`${control}/api/v1/organizations`, {
    headers: { authorization: `Bearer ${mintAdminToken().text}` },
  })
  await response.text()
}

/** Speaks plain HTTP where TLS is expected. */
function failHandshake(https: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(https).port), '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\n\r\n'),
    )
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
    socket.resume()
  })
}
