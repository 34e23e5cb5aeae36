/**
 * Token counting where the deployment has no operation for it: answered here by estimate, and marked as one in
 * `x-gatewright-tokens-estimated`. Clients count before every turn; refusing them would break them for nothing.
 */
import { estimateInput } from '../../metering/index.ts'
import { ownHeaders } from '../respond.ts'
import type { Stage } from '../stage.ts'

const operation = 'messages.count-tokens'

export const countTokens: Stage = (exchange) => {
  if (exchange.operation?.id !== operation) return 'next'
  const served = exchange.targets.some(
    (target) => target.deployment.pathFor(operation, exchange.model, false) !== null,
  )
  if (served) return 'next'
  const [target] = exchange.targets
  const model = {
    provider: target?.deployment.provider.id ?? '',
    model: target?.model ?? exchange.model,
  }
  const { json, facts, body: asked } = exchange
  const tokens = estimateInput({ json, bytes: asked.length, measure: facts?.input ?? null }, model)
  const body = JSON.stringify({ input_tokens: tokens })
  exchange.status = 200
  exchange.responseBytes = body.length
  const headers = [
    'content-type',
    'application/json',
    'x-gatewright-tokens-estimated',
    'true',
    ...ownHeaders(exchange),
  ]
  exchange.reply.send(200, headers, body)
  exchange.finish('completed')
  return 'wait'
}
