/** The usage log as a source of events: each record says what its exchange says to `access`, `security` and `usage`. */
import type { EventLane, SizedEvent } from '../delivery/index.ts'
import { eventsOfRecord, usageEventOf } from '../events/index.ts'
import type { EventLog } from '../ports/event-log.ts'
import { readUsageRecord, splitLines } from '../usage/index.ts'

export function createExchangeLane(log: EventLog): EventLane {
  return { name: 'exchanges', log, decode }
}

function* decode(payload: Buffer): Generator<SizedEvent, void, undefined> {
  for (const line of splitLines(payload.toString('utf8'))) {
    const record = readUsageRecord(line)
    if (record === null) continue
    for (const event of eventsOfRecord(record)) yield { event, bytes: line.length }
    yield { event: usageEventOf(record), bytes: line.length }
  }
}
