/**
 * A provider's refusal. The same dialect passes as it is, other dialects are translated; a refused credential is
 * our trouble, not the caller's, and is never shown. Whatever the provider quotes, no secret of the deployment
 * leaves (rivals have echoed provider keys in error texts).
 */
import type { CanonicalError } from '../domain/canonical.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { GatewayContext } from './context.ts'
import type { Exchange } from './exchange.ts'
import { callerDialect } from './respond.ts'
import { describeAnswer, passingHeaders } from './response-headers.ts'
import type { OutgoingRequest } from './upstream-request.ts'

/** Most bytes of an error body that are read. */
export const errorBodyBytes = 1_048_576

/** Send a provider's error to the caller. */
export function relayError(
  exchange: Exchange,
  ctx: GatewayContext,
  answer: {
    readonly request: OutgoingRequest
    readonly status: number
    readonly headers: readonly string[]
    readonly body: Buffer
  },
): void {
  const { status, request } = answer
  if (status === 401 || status === 403) {
    return exchange.fail(
      new Fault(faults.upstreamCredential, { internal: `the provider answered ${status}` }),
    )
  }
  if (status < 400) {
    return exchange.fail(new Fault(faults.upstreamRedirect, { internal: `the provider answered ${status}` }))
  }
  if (exchange.reply.headSent) {
    return exchange.fail(
      new Fault(faults.upstreamError, { internal: `the provider answered ${status} after keep-alive` }),
    )
  }
  const body = withoutSecrets(answer.body, exchange)
  const headers = passingHeaders(answer.headers)
  let sent: string | Buffer = body
  if (request.translateFrom !== null) {
    const error = request.translateFrom.readError(status, parseQuietly(body))
    sent = JSON.stringify(callerDialect(exchange).writeError({ ...error, requestId: exchange.id }))
    replaceContentType(headers)
  }
  sendError(exchange, ctx, { status, headers, sent })
}

/** Send what a provider said in a stream before any content, as an error of its own: nothing of the stream was sent. */
export function relayErrorEvent(exchange: Exchange, ctx: GatewayContext, error: CanonicalError): void {
  const text = JSON.stringify(callerDialect(exchange).writeError({ ...error, requestId: exchange.id }))
  const sent = withoutSecrets(Buffer.from(text), exchange)
  if (exchange.reply.headSent) {
    return exchange.fail(new Fault(faults.upstreamError, { internal: `${error.kind} after keep-alive` }))
  }
  sendError(exchange, ctx, { status: error.status, headers: ['content-type', 'application/json'], sent })
}

function sendError(
  exchange: Exchange,
  ctx: GatewayContext,
  { status, headers, sent }: { status: number; headers: string[]; sent: string | Buffer },
): void {
  describeAnswer(exchange, headers, ctx.clock.monotonic())
  exchange.status = status
  exchange.faultCode = faults.upstreamError.code
  exchange.responseBytes = sent.length
  exchange.reply.send(status, headers, sent)
  exchange.finish('failed')
}

function replaceContentType(headers: string[]): void {
  const at = headers.indexOf('content-type')
  if (at >= 0) headers[at + 1] = 'application/json'
  else headers.push('content-type', 'application/json')
}

function parseQuietly(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

const shortestSecret = 8

function withoutSecrets(body: Buffer, exchange: Exchange): Buffer {
  const secrets = Object.values(exchange.target?.deployment.snapshot.secrets ?? {})
  let text: string | null = null
  for (const secret of secrets) {
    if (secret.length < shortestSecret || !body.includes(secret)) continue
    text = (text ?? body.toString('utf8')).replaceAll(secret, '[redacted]')
  }
  return text === null ? body : Buffer.from(text)
}
