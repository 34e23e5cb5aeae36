/**
 * Usage records from the workers: appended to the event log, acknowledged once they are on disk, then summed into
 * minutes by the indexer at its own pace.
 */
import type { MessagePort } from 'node:worker_threads'
import { openEventLog } from '../adapters/event-log/open-event-log.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { ControlToWorker } from './worker-channel.ts'

export interface UsageIntakeOptions {
  readonly directory: string
  readonly retentionDays: number
  readonly log: (text: string) => void
}

export interface UsageIntake {
  readonly eventLog: EventLog
  /** Store records of a worker; it is told on `port` when they are on disk. */
  add(batch: { readonly sequence: number; readonly lines: Uint8Array }, port: MessagePort): void
}

const dayMs = 86_400_000

export async function openUsageIntake(options: UsageIntakeOptions): Promise<UsageIntake> {
  const eventLog = await openEventLog({
    directory: options.directory,
    maxAgeMs: options.retentionDays * dayMs,
    onDamage: () => options.log('The usage log had a torn end; it was cut off.'),
  })
  return {
    eventLog,
    add({ sequence, lines }, port) {
      eventLog.append(lines, (fault) => {
        // Not acknowledged: the worker keeps the batch, and refuses new exchanges when it holds too much.
        if (fault !== null) return options.log(`Usage cannot be stored: ${fault.internalText}`)
        const stored: ControlToWorker = { type: 'usage-stored', sequence }
        port.postMessage(stored)
      })
    },
  }
}
