/** Where exchanges are to be durable: nobody gets the end of an answer whose record could still be lost. */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { GatewayContext } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { holdReply } from '../held-reply.ts'
import { sendFault } from '../respond.ts'
import type { Stage } from '../stage.ts'

/** How long an answer waits for the disk. */
export const longestHoldMs = 5000

export const holdAnswer: Stage = (exchange) => {
  exchange.held = holdReply(exchange.reply)
  exchange.reply = exchange.held.reply
  return 'next'
}

/** Returns what to call once the record is on disk. When it is not in time, the answer is refused, or cut short. */
export function awaitRecord(exchange: Exchange, ctx: GatewayContext): (() => void) | undefined {
  const { held } = exchange
  if (held === null) return undefined
  const timer = ctx.timers.set(longestHoldMs, () => {
    if (!held.isWaiting) return
    exchange.reply = held.inner
    if (held.inner.headSent) held.inner.destroy()
    else sendFault(exchange, new Fault(faults.storageUnavailable))
  })
  return () => {
    timer.clear()
    held.release()
  }
}
