/**
 * The allow-list that every format is made from: what an event says, as names and short values, in one order. A field
 * that is not here is in no line-based format. Empty texts are left out.
 */
import type { OversightEvent } from '../domain/oversight-event.ts'
import { callerText, plainText } from '../domain/plain-text.ts'
import { packageVersion } from '../kernel/package-version.ts'

export type Fact = readonly [name: string, value: string | number | boolean]

export const product = Object.freeze({ vendor: 'Gatewright', name: 'Gatewright', version: packageVersion })

/** Numbers of the severities, 0 to 10, as CEF and LEEF count. */
export const severityNumbers = Object.freeze({ info: 1, low: 3, medium: 5, high: 8, critical: 10 })

export function factsOf(event: OversightEvent): readonly Fact[] {
  const { actor, resource, exchange } = event
  const facts: Fact[] = [
    ['id', plainText(event.id)],
    ['stream', event.stream],
    ['action', plainText(event.action)],
    ['outcome', event.outcome],
    ['severity', event.severity],
    ['reason', plainText(event.reason)],
    ['organization', plainText(event.organizationId)],
    ['actorKind', actor.kind],
    ['actor', plainText(actor.id)],
    ['application', plainText(actor.applicationId)],
    ['address', plainText(actor.address)],
    ['endUser', callerText(actor.endUser)],
    ['resourceKind', plainText(resource?.kind ?? '')],
    ['resource', plainText(resource?.id ?? '')],
    // Base64 of our own making, and longer than texts may be.
    ['checkpoint', event.checkpoint ?? ''],
  ]
  if (event.count !== undefined) facts.push(['count', event.count])
  if (exchange !== null) {
    facts.push(
      ['request', plainText(exchange.requestId)],
      ['trace', plainText(exchange.traceId)],
      ['operation', plainText(exchange.operation)],
      ['model', callerText(exchange.model)],
      ['servedModel', callerText(exchange.servedModel)],
      ['provider', plainText(exchange.providerId)],
      ['deployment', plainText(exchange.deploymentId)],
      ['status', exchange.status],
      ['inputTokens', exchange.inputTokens],
      ['outputTokens', exchange.outputTokens],
      ['requestBytes', exchange.requestBytes],
      ['responseBytes', exchange.responseBytes],
      ['durationMs', exchange.durationMs],
    )
    if (exchange.costMicroUsd !== null) facts.push(['costMicroUsd', exchange.costMicroUsd])
  }
  return facts.filter(([, value]) => value !== '')
}

/** One sentence for people, of our own words and ids alone. */
export function messageOf(event: OversightEvent): string {
  const reason = event.reason === '' ? '' : ` (${plainText(event.reason)})`
  return `${plainText(event.action)}: ${event.outcome}${reason}`
}
