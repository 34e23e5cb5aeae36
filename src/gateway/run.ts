/** Runs the pipeline: the loop over stages, the one place where errors become answers, and the finish rows. */

import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { GatewayContext } from './context.ts'
import type { Exchange, Outcome } from './exchange.ts'
import type { Plan, Plans } from './pipeline.ts'
import { sendFault } from './respond.ts'
import type { StageRow } from './stage.ts'
import { tellRefusal } from './tell-refusal.ts'

/** What running takes: the stages and what they work with. */
export interface Runner {
  readonly ctx: GatewayContext
  readonly plans: Plans
}

/** Take an exchange through its stages. */
export function runExchange(exchange: Exchange, runner: Runner): void {
  exchange.proceed = () => advance(exchange, runner)
  exchange.fail = (error) => failExchange(exchange, runner, error)
  exchange.finish = (outcome) => finishExchange(exchange, runner, outcome)
  exchange.inbound.onDisconnect(() => disconnect(exchange, runner))
  advance(exchange, runner)
}

function planOf(exchange: Exchange, { plans }: Runner): Plan {
  if (exchange.isHealth) return plans.byClass.H.request
  return exchange.operation === null ? plans.prelude : plans.byClass[exchange.operation.trafficClass].request
}

function advance(exchange: Exchange, runner: Runner): void {
  while (exchange.outcome === 'open') {
    const plan = planOf(exchange, runner)
    const stage = plan[exchange.stageIndex]
    if (stage === undefined) return
    exchange.stageIndex += 1
    if (stage.timed) {
      exchange.timedStages.push(stage.name)
      exchange.stageStarts.push(runner.ctx.clock.monotonic())
    }
    try {
      if (stage.run(exchange, runner.ctx) === 'wait') return
    } catch (error) {
      if (stage.onError === 'deny') failExchange(exchange, runner, error)
    }
  }
}

/** End an exchange with an error: answer it if nothing was sent, break the reply off otherwise. */
function failExchange(exchange: Exchange, runner: Runner, error: unknown): void {
  if (exchange.outcome !== 'open') return
  const fault = asFault(error)
  if (fault.internalText !== '' || fault.status >= 500) {
    runner.ctx.note({
      level: fault.status >= 500 ? 'error' : 'warn',
      requestId: exchange.id,
      code: fault.code,
      internal: fault.internalText,
    })
  }
  exchange.faultCode = fault.code
  exchange.call?.abort()
  answerFault(exchange, fault, runner.ctx)
  finishExchange(exchange, runner, fault.status < 500 ? 'refused' : 'failed')
}

/** Whatever answering may throw, the exchange ends, and the caller does not wait for ever. */
function answerFault(exchange: Exchange, fault: Fault, ctx: GatewayContext): void {
  try {
    sendFault(exchange, fault)
  } catch (error) {
    const internal = error instanceof Error ? originOf(error) : 'unknown'
    ctx.note({ level: 'error', requestId: exchange.id, code: faults.internal.code, internal })
    exchange.reply.destroy()
  }
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
  const frame = (error.stack ?? '').split('\n').find((line) => line.includes('.ts:')) ?? ''
  const place = frame.slice(frame.lastIndexOf('/') + 1).replace(')', '')
  return `${error.name} at ${place === '' ? 'unknown place' : place}`
}

function disconnect(exchange: Exchange, runner: Runner): void {
  exchange.call?.abort()
  finishExchange(exchange, runner, 'disconnected')
}

/** Run the finish rows once and let go of the exchange. */
function finishExchange(exchange: Exchange, runner: Runner, outcome: Exclude<Outcome, 'open'>): void {
  if (exchange.outcome !== 'open') return
  exchange.outcome = outcome
  exchange.onClosed()
  exchange.abandon()
  exchange.interrupt = null
  exchange.keepAlive?.clear()
  exchange.keepAlive = null
  exchange.compiledKey?.exchanges.delete(exchange)
  releaseBody(exchange, runner.ctx)
  if (exchange.operation === null) {
    if (exchange.isHealth) return
    runner.ctx.metrics.ended(exchange, runner.ctx.clock.monotonic())
    tellRefusal(exchange, runner.ctx)
    return
  }
  for (const stage of runner.plans.byClass[exchange.operation.trafficClass].finish)
    runFinish(stage, exchange, runner.ctx)
}

function releaseBody(exchange: Exchange, ctx: GatewayContext): void {
  if (exchange.compiledKey !== null) ctx.bodies.give(exchange.compiledKey.bodies, exchange.heldBytes)
  exchange.heldBytes = 0
}

function runFinish(stage: StageRow, exchange: Exchange, ctx: GatewayContext): void {
  try {
    stage.run(exchange, ctx)
  } catch (error) {
    const internal = error instanceof Error ? originOf(error) : 'unknown'
    ctx.note({ level: 'error', requestId: exchange.id, code: `finish.${stage.name}`, internal })
  }
}
