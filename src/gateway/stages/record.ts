/** Counts the exchange; one usage record for each that proved a key, for the control plane to keep. Others are told that they were refused. */
import { noUsage, type UsageRecord } from '../../domain/usage.ts'
import { eventClassOf } from '../event-class.ts'
import type { Exchange } from '../exchange.ts'
import { cacheProvider } from '../exchange-metrics.ts'
import { grantOf } from '../granted-product.ts'
import type { Stage } from '../stage.ts'
import { tellRefusal } from '../tell-refusal.ts'

export const record: Stage = (exchange, ctx) => {
  const { key, operation, outcome, held } = exchange
  if (operation === null || outcome === 'open') return 'next'
  const end = ctx.clock.monotonic()
  ctx.metrics.ended(exchange, end)
  if (key === null) {
    tellRefusal(exchange, ctx)
    return 'next'
  }
  const usage = exchange.usage ?? noUsage
  const start = exchange.inbound.startedAt
  const written: UsageRecord = {
    id: exchange.id,
    time: exchange.startedAt,
    organizationId: key.organizationId,
    applicationId: key.applicationId,
    keyId: key.keyId,
    productId: grantOf(exchange)?.productId ?? '',
    operation: operation.id,
    dialect: operation.dialect ?? '',
    model: exchange.model,
    servedModel: exchange.servedModel,
    deploymentId: exchange.target?.deployment.id ?? '',
    providerId:
      exchange.cacheStatus === 'hit' ? cacheProvider : (exchange.target?.deployment.provider.id ?? ''),
    status: exchange.status,
    fault: exchange.faultCode,
    outcome,
    streamed: exchange.stream,
    attempts: exchange.attempts,
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    cachedInputTokens: usage.cachedInputTokens,
    cacheWriteTokens: usage.cacheWriteTokens,
    reasoningTokens: usage.reasoningTokens,
    estimated: usage.estimated,
    costMicroUsd: exchange.costMicroUsd,
    requestBytes: exchange.requestBytes,
    responseBytes: exchange.responseBytes,
    durationMs: rounded(end - start),
    firstByteMs: exchange.firstByteAt === 0 ? 0 : rounded(exchange.firstByteAt - start),
    overheadMs: exchange.upstreamStartedAt === 0 ? 0 : rounded(exchange.upstreamStartedAt - start),
    endUser: exchange.endUser,
    tags: exchange.tags,
    ...limitsOf(exchange),
    ...(exchange.findings.length === 0 ? {} : { findings: exchange.findings }),
    ...(exchange.policies === null ? {} : { policies: exchange.policies }),
    ...traceOf(exchange),
    ...(exchange.snapshot.events === null ? {} : { address: exchange.clientAddress }),
  }
  const eventClass = eventClassOf(exchange)
  if (held !== null && eventClass === 'durable') ctx.recordUsage(written, eventClass, () => held.release())
  else {
    ctx.recordUsage(written, eventClass)
    held?.release()
  }
  return 'next'
}

/** Names of the limits that refused or ended the exchange, and of those that it passed: nothing where there are none. */
function limitsOf({ limits }: Exchange): Pick<UsageRecord, 'refusedBy' | 'limitsPassed'> {
  if (limits === null) return {}
  const { refusedBy, exceeded } = limits
  return {
    ...(refusedBy === '' ? {} : { refusedBy }),
    ...(exceeded.length === 0 ? {} : { limitsPassed: exceeded.map(({ rule }) => rule.name) }),
  }
}

/** Ids by which the trace is found: nothing where none is told of. */
function traceOf({ trace }: Exchange): Pick<UsageRecord, 'traceId' | 'spanId'> {
  return trace?.isRecorded === true ? { traceId: trace.traceId, spanId: trace.spanId } : {}
}

/** Milliseconds with three decimals. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
