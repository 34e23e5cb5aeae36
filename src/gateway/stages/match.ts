/** Method and path → operation. */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { matchOperation } from '../match.ts'
import type { Stage } from '../stage.ts'
import { healthOperation } from './health.ts'

export const match: Stage = (exchange) => {
  const { method, target } = exchange.inbound
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  exchange.query = mark < 0 ? '' : target.slice(mark + 1)
  const health = healthOperation(method, path)
  if (health) {
    exchange.isHealth = true
    return 'next'
  }
  const found = matchOperation(method, path)
  if ('operation' in found) {
    exchange.operation = found.operation
    exchange.pathModel = found.model
    exchange.pathRest = found.rest
    return 'next'
  }
  if (found.allow.length > 0) {
    throw new Fault(faults.methodNotAllowed, { public: { method, path }, allow: found.allow })
  }
  throw new Fault(faults.notFound, { public: { method, path } })
}
