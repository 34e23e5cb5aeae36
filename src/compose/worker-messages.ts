/** What a worker tells the control plane, and to whom it goes. */
import type { MessagePort } from 'node:worker_threads'
import { serveCounters } from '../adapters/thread-counters/thread-central-counters.ts'
import { createIdempotencyServer } from '../adapters/thread-idempotency/thread-idempotency-book.ts'
import type { WorkerLoad } from '../domain/worker-load.ts'
import type { LiveHub } from '../events/index.ts'
import type { IdempotencyBook } from '../ports/idempotency.ts'
import type { AlertIntake } from './alert-intake.ts'
import type { AuditDesk } from './audit-desk.ts'
import type { OpenedCounters } from './central-counters.ts'
import type { ContentIntake } from './content-intake.ts'
import { type EventDelivery, eventsOfBatch } from './event-delivery.ts'
import type { TokenDesk } from './token-desk.ts'
import type { TraceIntake } from './trace-intake.ts'
import type { UsageIntake } from './usage-intake.ts'
import type { ControlToWorker, WorkerToControl } from './worker-channel.ts'

export interface Intakes {
  readonly usage: UsageIntake
  readonly events: EventDelivery
  readonly content: ContentIntake
  readonly alerts: AlertIntake
  readonly traces: TraceIntake
  readonly counters: OpenedCounters
  readonly idempotency: IdempotencyBook
  readonly tokens: TokenDesk
  readonly live: LiveHub
  readonly audit: Pick<AuditDesk, 'denied'>
  /** What each worker told last. */
  readonly loads: Map<number, WorkerLoad>
}

export function connectWorker(port: MessagePort, intakes: Intakes): void {
  const { usage, events, content, alerts, traces, counters, idempotency, tokens, live, audit, loads } =
    intakes
  const tellWorker = (message: ControlToWorker): void => port.postMessage(message)
  const claims = createIdempotencyServer(idempotency, tellWorker)
  port.on('close', () => claims.close())
  port.on('message', (message: WorkerToControl) => {
    if (message.type === 'usage') usage.add(message, port)
    else if (message.type === 'refusals') {
      events.addRefusals(message, (answer) => {
        tellWorker(answer)
        // A batch that could not be stored comes again, and is shown then.
        if (answer.type !== 'refusals-stored') return
        const refused = eventsOfBatch(message)
        audit.denied(refused)
        if (live.isWatched()) for (const event of refused) live.publish(event)
      })
    } else if (message.type === 'load') loads.set(message.load.worker, message.load)
    else if (message.type === 'content') content.add(message, port)
    else if (message.type === 'traces') {
      traces.add(message)
      tellWorker({ type: 'traces-taken', sequence: message.sequence })
    } else if (message.type === 'alert') {
      alerts.add(message, () => tellWorker({ type: 'alert-taken', sequence: message.sequence }))
    } else if (message.type === 'counters-call') {
      void serveCounters(counters.stores, message).then(tellWorker)
    } else if (message.type === 'token-question') tokens.answer(message, tellWorker)
    else claims.serve(message)
  })
}
