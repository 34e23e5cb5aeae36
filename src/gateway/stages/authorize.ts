/** The key's own scopes and at least one subscribed product must have the operation. Deny by default. */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Stage } from '../stage.ts'

export const authorize: Stage = (exchange) => {
  const operation = exchange.operation?.id ?? ''
  const own = exchange.compiledKey?.allowsOperation ?? null
  const allowed =
    exchange.application?.allowsOperation(operation) === true && (own === null || own(operation))
  if (!allowed) throw new Fault(faults.operationDenied, { public: { operation } })
  return 'next'
}
