/** Our systems: the gateway alone (`bare`), the whole product as a user starts it (`shipped`), and with limits (`limited`). */
import { fileURLToPath } from 'node:url'
import { type Product, startProduct } from '../../test/journeys/product.ts'
import { streamModel, unaryModel } from './bodies.ts'
import type { Endpoint } from './call.ts'
import { startChildProgram } from './child-program.ts'
import { freePort, gatewayCore, moveToCore } from './processes.ts'
import { chatPath, type Mocks, mockCredential, type Started } from './system.ts'

function endpoint(port: number, apiKey: string, authority: string | null = null): Endpoint {
  return { port, authority, headers: { authorization: `Bearer ${apiKey}` }, path: chatPath }
}

/** The configuration with which the product serves both mocks. */
export function productConfig(mocks: Mocks): Record<string, unknown> {
  const deployment = (slug: string, port: number) => ({
    slug,
    provider: 'openai',
    baseUrl: `http://127.0.0.1:${port}/v1`,
    credential: { apiKey: 'env:BENCH_KEY' },
    allowPrivateNetwork: true,
  })
  return {
    deployments: [deployment('unary', mocks.unaryPort), deployment('stream', mocks.streamPort)],
    models: [
      { name: unaryModel, targets: [{ deployment: 'unary' }] },
      { name: streamModel, targets: [{ deployment: 'stream' }] },
    ],
    prices: [{ provider: 'openai', model: 'bench-*', inputPerMillion: 2.5, outputPerMillion: 10 }],
  }
}

/** One limit of each kind, none of which is ever reached. */
const limits = [
  { name: 'requests', meter: 'requests', amount: 1e9, window: 'minute', per: ['key'] },
  { name: 'tokens', meter: 'total-tokens', amount: 1e12, window: 'minute', per: ['application'] },
  { name: 'under-way', meter: 'concurrent-requests', amount: 1e6, per: ['key'] },
  { name: 'budget', meter: 'cost', amount: 1e6, window: { calendar: 'month' }, per: ['application'] },
]

/** The whole product on the gateway core, one worker, usage recorded to disk. */
export async function startBenchProduct(mocks: Mocks, own: object = {}): Promise<Product> {
  const product = await startProduct({
    config: { ...productConfig(mocks), ...own },
    environment: { BENCH_KEY: mockCredential },
  })
  moveToCore(product.process.pid ?? 0, gatewayCore)
  return product
}

export function productEndpoints(product: Product): { readonly plain: Endpoint; readonly tls: Endpoint } {
  return {
    plain: endpoint(Number(new URL(product.http).port), product.apiKey),
    tls: endpoint(Number(new URL(product.https).port), product.apiKey, product.authority),
  }
}

export async function startShipped(mocks: Mocks): Promise<Started> {
  const product = await startBenchProduct(mocks)
  const { plain, tls } = productEndpoints(product)
  const pid = product.process.pid ?? 0
  return {
    systems: [
      { name: 'shipped', unary: plain, stream: plain, pid },
      { name: 'shipped-tls', unary: tls, stream: tls, pid },
    ],
    stop: async () => void (await product.stop()),
  }
}

/** As shipped, with limits on requests, tokens, concurrency and money that each request is counted by. */
export async function startLimited(mocks: Mocks): Promise<Started> {
  const product = await startBenchProduct(mocks, { limits })
  const { plain } = productEndpoints(product)
  return {
    systems: [{ name: 'limited', unary: plain, stream: plain, pid: product.process.pid ?? 0 }],
    stop: async () => void (await product.stop()),
  }
}

export async function startBare(folder: string, mocks: Mocks): Promise<Started> {
  const port = await freePort()
  const program = fileURLToPath(new URL('bare-gateway.ts', import.meta.url))
  let printed = ''
  const child = await startChildProgram({
    core: gatewayCore,
    command: [process.execPath, program, String(port), String(mocks.unaryPort), String(mocks.streamPort)],
    port,
    folder,
    onOutput: (text) => {
      printed += text
    },
  })
  while (!printed.includes('\n')) await new Promise((resolve) => setTimeout(resolve, 20))
  const at = endpoint(port, printed.trim())
  return { systems: [{ name: 'bare', unary: at, stream: at, pid: child.pid }], stop: child.stop }
}
