/** An event as a row of a custom table of Azure Monitor: `TimeGenerated`, the facts in Pascal case, `Message`. */
import type { OversightEvent } from '../domain/oversight-event.ts'
import { factsOf, messageOf } from './event-facts.ts'

/** Azure Monitor keeps some names for itself. */
const names: Readonly<Record<string, string>> = Object.freeze({ id: 'EventId', stream: 'EventStream' })

export function sentinelRecord(event: OversightEvent): string {
  return JSON.stringify({
    TimeGenerated: new Date(event.time).toISOString(),
    Message: messageOf(event),
    ...Object.fromEntries(factsOf(event).map(([name, value]) => [names[name] ?? pascal(name), value])),
  })
}

function pascal(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1)
}
