/** A receiver of events as operators run one: it checks signatures, remembers what it took, and fails as it is told. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { OversightEvent } from '../../src/domain/oversight-event.ts'
import { signWebhook, webhookSignatureHeader } from '../../src/kernel/webhook-signature.ts'

export const receiverSecret = 'receiver-secret-7c1f'

export interface EventReceiver {
  readonly url: string
  /** By id: repeats count once. */
  readonly events: Map<string, OversightEvent>
  /** Events that came again. */
  repeats: number
  /** Calls whose signature was wrong. */
  forged: number
  /** Share of calls that fail. */
  failing: number
  close(): Promise<void>
}

export async function startReceiver(): Promise<EventReceiver> {
  let server: Server | null = null
  const receiver = {
    url: '',
    events: new Map<string, OversightEvent>(),
    repeats: 0,
    forged: 0,
    failing: 0,
    async close() {
      server?.closeAllConnections()
      await new Promise((resolve) => server?.close(resolve))
    },
  }
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const signature = String(request.headers[webhookSignatureHeader])
      if (!isOurs(signature, body)) receiver.forged += 1
      if (Math.random() < receiver.failing) return fail(response, () => take(receiver, body))
      take(receiver, body)
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
  return receiver
}

function isOurs(signature: string, body: string): boolean {
  const seconds = Number(/^t=(\d+),/.exec(signature)?.[1])
  return signature === signWebhook(receiverSecret, body, seconds)
}

function take(receiver: EventReceiver, body: string): void {
  for (const event of (JSON.parse(body) as { events: OversightEvent[] }).events) {
    if (receiver.events.has(event.id)) receiver.repeats += 1
    receiver.events.set(event.id, event)
  }
}

/** In one of the ways in which receivers fail: having taken the batch, too. */
function fail(response: ServerResponse, takeAll: () => void): void {
  const way = Math.floor(Math.random() * 4)
  if (way === 0) response.writeHead(429, { 'retry-after': '0' }).end()
  else if (way === 1) response.writeHead(503).end()
  else if (way === 2) response.destroy()
  else {
    takeAll()
    response.destroy()
  }
}

/** The configuration of a product that sends to it. */
export function sendingTo(
  { url }: EventReceiver,
  own: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const webhook = { url, secret: 'env:RECEIVER_SECRET', allowPrivateNetwork: true }
  return { sinks: [{ name: 'siem', batchMs: 50, ...own, webhook }] }
}

export const receiverEnvironment = { RECEIVER_SECRET: receiverSecret }
