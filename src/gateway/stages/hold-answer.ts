/**
 * Where events are to be durable: nobody gets the end of an answer whose record could still be lost. The `record` row
 * lets it go, at once where this one need not be; when that is not in time, or does not happen, the answer is refused, or
 * cut short.
 */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { holdReply } from '../held-reply.ts'
import { sendFault } from '../respond.ts'
import type { Stage } from '../stage.ts'

const longestHoldMs = 5000

export const holdAnswer: Stage = (exchange, { timers }) => {
  exchange.held = holdReply(exchange.reply, {
    timers,
    longestMs: longestHoldMs,
    overdue(inner) {
      exchange.reply = inner
      if (inner.headSent) inner.destroy()
      else sendFault(exchange, new Fault(faults.storageUnavailable))
    },
  })
  exchange.reply = exchange.held.reply
  return 'next'
}
