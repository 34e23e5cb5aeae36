/**
 * Call the chosen deployments, one after the other, and relay the answer. While a stream's first token is awaited,
 * server-sent comments keep proxies between the caller and us from giving up.
 */
import { attempt } from '../attempt.ts'
import type { GatewayContext } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { sendHead } from '../relay-stream.ts'
import type { Stage } from '../stage.ts'

export const callUpstream: Stage = (exchange, ctx) => {
  if (exchange.stream && exchange.snapshot.bounds.keepAliveCommentMs > 0) keepAlive(exchange, ctx)
  attempt(exchange, ctx)
  return 'wait'
}

/** Operations whose streams are not server-sent events take no comments. */
const commentless = new Set(['audio.speech', 'images.generate'])

function keepAlive(exchange: Exchange, ctx: GatewayContext): void {
  if (exchange.jsonArrayStream || commentless.has(exchange.operation?.id ?? '')) return
  const timer = ctx.timers.set(exchange.snapshot.bounds.keepAliveCommentMs, () => {
    if (exchange.outcome !== 'open' || exchange.firstByteAt !== 0) return
    sendHead(exchange, ctx, ['content-type', 'text/event-stream; charset=utf-8'])
    exchange.reply.write(': keep-alive\n\n')
    timer.refresh()
  })
  exchange.keepAlive = timer
}
