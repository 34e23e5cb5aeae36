/**
 * `Idempotency-Key`: a request that was sent before is answered as before and not run again; one that runs right now
 * is refused; the same key with another request is a mistake. Kept per API key, in this node's memory.
 */
import { hash } from 'node:crypto'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { RememberedReply } from '../../ports/idempotency.ts'
import { captureReply } from '../capture.ts'
import { type Exchange, headerOf } from '../exchange.ts'
import { isOfOneAnswer, ownHeaders } from '../respond.ts'
import type { Stage } from '../stage.ts'

/** Larger replies are not kept: the same request runs again. */
const maxReplyBytes = 1_048_576
const keyPattern = /^[\x21-\x7e]{1,255}$/

export const claimIdempotency: Stage = (exchange, ctx) => {
  const key = headerOf(exchange.inbound.headers, 'idempotency-key')
  if (key === undefined || exchange.key === null || exchange.operation?.method !== 'POST') return 'next'
  if (!keyPattern.test(key)) {
    const reason = 'it must be 1 to 255 visible ASCII characters'
    throw new Fault(faults.invalidField, {
      public: { field: 'Idempotency-Key', reason },
      param: 'Idempotency-Key',
    })
  }
  // A body that is left on the wire cannot be compared; such a request is run each time.
  if (exchange.bodyPending) return 'next'
  const claim = { scope: exchange.key.keyId, key, fingerprint: fingerprintOf(exchange) }
  ctx.idempotency.claim(claim, (outcome) => {
    if (exchange.outcome !== 'open') {
      if (outcome.kind === 'claimed') ctx.idempotency.abandon(claim)
      return
    }
    switch (outcome.kind) {
      case 'claimed': {
        const captured = captureReply(exchange.reply, { maxBytes: maxReplyBytes, whenFull: 'drop' })
        exchange.reply = captured.reply
        exchange.remember = (worthKeeping) => {
          const reply = worthKeeping ? captured.take() : null
          if (reply === null) ctx.idempotency.abandon(claim)
          else ctx.idempotency.complete(claim, reply)
        }
        return exchange.proceed()
      }
      case 'done':
        return replay(exchange, outcome.reply)
      case 'running':
        return exchange.fail(new Fault(faults.idempotencyConflict, { retryAfterSeconds: 1 }))
      case 'mismatch':
        return exchange.fail(new Fault(faults.idempotencyMismatch))
      case 'unavailable':
        return exchange.fail(new Fault(faults.notReady, { retryAfterSeconds: 1 }))
    }
  })
  return 'wait'
}

function fingerprintOf(exchange: Exchange): string {
  const { inbound, body, facts } = exchange
  const content = facts === null ? body : Buffer.from(facts.sha256)
  return hash('sha256', Buffer.concat([Buffer.from(`${inbound.target}\n`), content]), 'base64')
}

function replay(exchange: Exchange, reply: RememberedReply): void {
  const headers: string[] = []
  for (let at = 0; at < reply.headers.length; at += 2) {
    const name = reply.headers[at] ?? ''
    if (!isOfOneAnswer(name)) headers.push(name, reply.headers[at + 1] ?? '')
  }
  headers.push('x-gatewright-idempotent-replay', 'true', ...ownHeaders(exchange))
  exchange.status = reply.status
  exchange.responseBytes = reply.body.byteLength
  exchange.reply.send(reply.status, headers, reply.body)
  exchange.finish('completed')
}

/** Finish row: keep what was answered, or let the next request run. */
export const rememberReply: Stage = (exchange) => {
  // A failure of the provider is no answer to keep: the retry is there to get a better one.
  exchange.remember?.(exchange.outcome === 'completed' && exchange.status < 500 && exchange.faultCode === '')
  exchange.remember = null
  return 'next'
}
