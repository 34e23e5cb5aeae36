/** Tracing. These rows are compiled only where the configuration asks for it. */
import { readTraceContext } from '../../tracing/index.ts'
import { ExchangeTrace } from '../exchange-trace.ts'
import type { Stage } from '../stage.ts'

/** Take a place in the caller's trace, or begin one. */
export const beginTrace: Stage = (exchange, ctx) => {
  const { tracing } = exchange.snapshot
  if (tracing === null) return 'next'
  const parent = tracing.terms.parents !== 'ignore' ? readTraceContext(exchange.inbound.headers) : null
  exchange.trace = new ExchangeTrace(tracing, ctx.traceIds, parent)
  return 'next'
}

/** Finish row: tell of it, if it is in the sample. */
export const endTrace: Stage = (exchange, ctx) => {
  const told = exchange.trace?.finish(exchange, ctx.clock.monotonic()) ?? null
  if (told !== null) ctx.recordTrace(told)
  return 'next'
}
