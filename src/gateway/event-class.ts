/** How surely the record of an exchange is to be on disk: as the configuration has it for what it says to which stream. */
import { securityAreaOf } from '../domain/security-areas.ts'
import type { EventClass } from '../domain/snapshot.ts'
import type { Exchange } from './exchange.ts'

export function eventClassOf({ snapshot: { events }, outcome, faultCode }: Exchange): EventClass {
  // Without sinks it is metering alone, which is never given up.
  if (events === null) return 'group'
  const { exchanges, security } = events
  if (outcome !== 'refused' || securityAreaOf(faultCode) === null) return exchanges
  // One record says both: it is as sure as the surer of them.
  return exchanges === 'durable' ? exchanges : security
}
