/** Sinks get events of all organizations: they are shown to tokens that see all, and to nobody else. */
import { Type } from 'typebox'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { closed } from './schemas.ts'

export const sinkParams = closed({
  name: Type.String({ description: 'Name of the sink, as configured.', maxLength: 63 }),
})

/** What was found. @throws Fault where there is no such sink */
export function foundAtSink<T>(found: T | null, name: string): T {
  if (found === null) throw new Fault(faults.objectNotFound, { public: { noun: 'sink', id: name } })
  return found
}
