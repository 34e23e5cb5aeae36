/**
 * Under more load than the bounds allow, exchanges are turned away before their bodies are read, lowest priority first.
 * The priority is the highest among the plans of the application: which of them applies is not known yet.
 */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { defaultPriority } from '../limits/snapshot-limits.ts'
import type { Stage } from '../stage.ts'

export const shed: Stage = (exchange, ctx) => {
  if (ctx.load.sheds(exchange.application?.priority ?? defaultPriority))
    throw new Fault(faults.overloaded, { retryAfterSeconds: 1 })
  return 'next'
}
