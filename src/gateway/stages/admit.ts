/** Take no exchange that could not be recorded, and none after draining has begun. */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Stage } from '../stage.ts'

export const admit: Stage = (_exchange, ctx) => {
  if (!ctx.isReady()) throw new Fault(faults.notReady, { retryAfterSeconds: 1 })
  return 'next'
}
