/** Runs the pipeline: the loop over stages, the one place where errors become answers, and the finish rows. */

import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { GatewayContext } from './context.ts'
import type { Exchange, Outcome } from './exchange.ts'
import { type Plan, plans, prelude } from './pipeline.ts'
import { sendFault } from './respond.ts'
import type { StageRow } from './stage.ts'

/** Take an exchange through its stages. */
export function runExchange(exchange: Exchange, ctx: GatewayContext): void {
  exchange.proceed = () => advance(exchange, ctx)
  exchange.fail = (error) => failExchange(exchange, ctx, error)
  exchange.finish = (outcome) => finishExchange(exchange, ctx, outcome)
  exchange.inbound.onDisconnect(() => disconnect(exchange, ctx))
  advance(exchange, ctx)
}

function planOf(exchange: Exchange): Plan {
  if (exchange.isHealth) return plans.H.request
  return exchange.operation === null ? prelude : plans[exchange.operation.trafficClass].request
}

function advance(exchange: Exchange, ctx: GatewayContext): void {
  while (exchange.outcome === 'open') {
    const plan = planOf(exchange)
    const stage = plan[exchange.stageIndex]
    if (stage === undefined) return
    exchange.stages = plan
    exchange.stageIndex += 1
    exchange.stageStarts.push(ctx.clock.monotonic())
    try {
      if (stage.run(exchange, ctx) === 'wait') return
    } catch (error) {
      if (stage.onError === 'deny') failExchange(exchange, ctx, error)
    }
  }
}

/** End an exchange with an error: answer it if nothing was sent, break the reply off otherwise. */
function failExchange(exchange: Exchange, ctx: GatewayContext, error: unknown): void {
  if (exchange.outcome !== 'open') return
  const fault = asFault(error)
  if (fault.internalText !== '' || fault.status >= 500) {
    ctx.note({
      level: fault.status >= 500 ? 'error' : 'warn',
      requestId: exchange.id,
      code: fault.code,
      internal: fault.internalText,
    })
  }
  exchange.faultCode = fault.code
  exchange.call?.abort()
  sendFault(exchange, fault)
  finishExchange(exchange, ctx, fault.status < 500 ? 'refused' : 'failed')
}

/** Anything that is not a fault is our own mistake: the caller learns nothing but that. */
function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  return new Fault(faults.internal, {
    internal: error instanceof Error ? originOf(error) : typeof error,
    cause: error,
  })
}

/** Class and place of an unexpected error, without its message: messages may quote request data. */
function originOf(error: Error): string {
  const frame =
    /at [^\n]{0,300}?([\w.-]{1,80}\.ts:\d{1,6})/.exec((error.stack ?? '').slice(0, 2000))?.[1] ??
    'unknown place'
  return `${error.name} at ${frame}`
}

function disconnect(exchange: Exchange, ctx: GatewayContext): void {
  exchange.call?.abort()
  finishExchange(exchange, ctx, 'disconnected')
}

/** Run the finish rows once and let go of the exchange. */
function finishExchange(exchange: Exchange, ctx: GatewayContext, outcome: Exclude<Outcome, 'open'>): void {
  if (exchange.outcome !== 'open') return
  exchange.outcome = outcome
  exchange.onClosed()
  exchange.interrupt = null
  if (exchange.key !== null) ctx.keys.find(exchange.key.keyId)?.exchanges.delete(exchange)
  if (exchange.operation === null) return
  for (const stage of plans[exchange.operation.trafficClass].finish) runFinish(stage, exchange, ctx)
}

function runFinish(stage: StageRow, exchange: Exchange, ctx: GatewayContext): void {
  try {
    stage.run(exchange, ctx)
  } catch (error) {
    const internal = error instanceof Error ? originOf(error) : 'unknown'
    ctx.note({ level: 'error', requestId: exchange.id, code: `finish.${stage.name}`, internal })
  }
}
