/**
 * Content logging. These rows are compiled only where the configuration asks for it; bodies are kept up to their
 * bound and leave this worker for the control plane, which seals them. They never reach the process log.
 */
import type { ContentBody } from '../../domain/content.ts'
import { captureReply } from '../capture.ts'
import { headerOf } from '../exchange.ts'
import type { Stage } from '../stage.ts'

/** Keep what is answered from here on, refusals too. */
export const captureContent: Stage = (exchange) => {
  const bounds = exchange.snapshot.contentLog
  if (bounds === null) return 'next'
  const captured = captureReply(exchange.reply, { maxBytes: bounds.maxBytes, whenFull: 'cut' })
  exchange.reply = captured.reply
  exchange.captured = captured
  exchange.isContentLogged = true
  return 'next'
}

/** Finish row: hand the content over. */
export const logContent: Stage = (exchange, ctx) => {
  const { captured, key, operation, snapshot } = exchange
  if (captured === null || key === null || operation === null || snapshot.contentLog === null) return 'next'
  exchange.captured = null
  const reply = captured.take()
  ctx.logContent({
    id: exchange.id,
    time: exchange.startedAt,
    organizationId: key.organizationId,
    applicationId: key.applicationId,
    keyId: key.keyId,
    operation: operation.id,
    model: exchange.model,
    status: exchange.status,
    request: bodyOf(exchange.body.subarray(0, snapshot.contentLog.maxBytes), {
      contentType: headerOf(exchange.inbound.headers, 'content-type'),
      bytes: Math.max(exchange.body.length, exchange.requestBytes),
    }),
    response: bodyOf(reply?.body ?? new Uint8Array(0), {
      contentType: headerOf(reply?.headers ?? [], 'content-type'),
      bytes: captured.bytes,
    }),
  })
  return 'next'
}

/** With a buffer of its own: a view of a shared one would take all of it across threads. */
function bodyOf(
  kept: Uint8Array,
  { contentType, bytes }: { readonly contentType: string | undefined; readonly bytes: number },
): ContentBody {
  return { contentType: contentType ?? '', bytes, kept: new Uint8Array(kept) }
}
