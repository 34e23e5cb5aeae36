/**
 * Checkpoints of the audit log on their way to the sinks, so that what the log was is known where this node cannot change
 * it. Each holds all before it: within `paceMs` the newest goes. One that could not be stored makes way for the next, or
 * is tried again.
 */
import type { OversightEvent } from '../domain/oversight-event.ts'
import type { Fault } from '../kernel/fault.ts'

const defaultPaceMs = 10_000

export interface CheckpointAnchorParts {
  /** Null when the event is on disk, for sinks to get it. */
  readonly deliver: (event: OversightEvent) => Promise<Fault | null>
  /** Unix milliseconds. */
  readonly now: () => number
  readonly paceMs?: number
}

export interface CheckpointAnchor {
  /** A signed note that was published. */
  publish(note: string): void
  /** Sends what still waits. */
  close(): Promise<void>
}

function eventOf(note: string, time: number): OversightEvent {
  const [origin = '', size = ''] = note.split('\n')
  return {
    // The same for the same checkpoint, whenever it is told of.
    id: `${origin.slice(origin.lastIndexOf('/') + 1)}.checkpoint.${size}`,
    time,
    stream: 'audit',
    action: 'audit.checkpoint',
    outcome: 'success',
    severity: 'info',
    reason: '',
    organizationId: '',
    actor: { kind: 'system', id: '', applicationId: '', address: '', endUser: '' },
    resource: { kind: 'audit-log', id: origin },
    exchange: null,
    checkpoint: Buffer.from(note).toString('base64'),
  }
}

export function createCheckpointAnchor(parts: CheckpointAnchorParts): CheckpointAnchor {
  const { deliver, now, paceMs = defaultPaceMs } = parts
  let newest: string | null = null
  let timer: NodeJS.Timeout | null = null

  async function send(): Promise<void> {
    const note = newest
    if (note === null) return
    newest = null
    timer = setTimeout(() => {
      timer = null
      void send()
    }, paceMs).unref()
    const isStored = await deliver(eventOf(note, now())).then(
      (fault) => fault === null,
      () => false,
    )
    if (!isStored) newest ??= note
  }

  return {
    publish(note) {
      newest = note
      if (timer === null) void send()
    },
    async close() {
      if (timer !== null) clearTimeout(timer)
      await send()
      if (timer !== null) clearTimeout(timer)
    },
  }
}
