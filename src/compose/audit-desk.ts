/**
 * The audit log of this node: `audit/` in the data directory, with its keys and its guard in `audit-keys/`, and what
 * Gatewright itself does in it. It opens with its first entry, which says that the control plane has started. Where it
 * cannot be opened, traffic is served all the same; administrative changes and reloads are refused.
 */
import type { AuditDetails, AuditTrail, DenialBook } from '../audit/index.ts'
import type { OversightEvent } from '../domain/oversight-event.ts'
import type { Fault } from '../kernel/fault.ts'
import type { CheckpointBoard } from '../ports/checkpoint-board.ts'
import { watchPeers } from './audit-peers.ts'
import { createCheckpointAnchor } from './checkpoint-anchor.ts'
import type { AuditTrailParts } from './open-audit-trail.ts'
import { systemEvent } from './system-event.ts'

export interface AuditDesk {
  readonly trail: AuditTrail
  /** Something that Gatewright does by itself. Lost entries go to the process log. */
  note(action: string, details?: AuditDetails): Promise<void>
  /** Before a configuration file changes the store. @throws Fault where it cannot be recorded */
  applyBegins(): Promise<void>
  /** What came of it; `reason`: code of the fault, or empty. */
  applyEnded(reason: string): Promise<void>
  /** Security events of requests that were denied: the log gets entries of them, alike ones together. */
  denied(events: readonly OversightEvent[]): void
  close(): Promise<void>
}

interface AuditDeskParts extends Omit<AuditTrailParts, 'onCheckpoint'> {
  /** Null when the event is on disk, for sinks to get it. */
  readonly deliver: (event: OversightEvent) => Promise<Fault | null>
  /** Where other nodes show their logs; absent: this node has no others. */
  readonly board?: CheckpointBoard
}

/** Its code is loaded with the first event, too: no start waits for either. */
function createLazyTrail(parts: AuditDeskParts & AuditTrailParts) {
  let loading: Promise<AuditTrail> | null = null
  let loaded: AuditTrail | null = null
  async function load(): Promise<AuditTrail> {
    loading ??= import('./open-audit-trail.ts').then(({ openAuditTrail }) => openAuditTrail(parts))
    loaded = await loading
    return loaded
  }
  async function keep(event: OversightEvent, details?: AuditDetails): Promise<void> {
    await (await load()).record(event, details)
  }
  const trail: AuditTrail = {
    async record(event, details) {
      await keep(event, details)
      // On its way to sinks, too, or refused: the audit log alone is not what somebody watches.
      const fault = await parts.deliver(event)
      if (fault !== null) throw fault
    },
    erase: async (subject) => (await load()).erase(subject),
    rewrap: async () => (await load()).rewrap(),
    exchange: async (board) => (await loading)?.exchange(board) ?? [],
    figures: () => loaded?.figures() ?? { entries: [], failures: 0, published: null },
    async close() {
      await (await loading)?.close()
    },
  }
  /** `keep`: in the log alone. */
  return { trail, keep }
}

/** Sinks have each denial by itself; the log has what came of many. */
function openDenials({ now, log }: AuditDeskParts, keep: AuditTrail['record']) {
  let opening: Promise<DenialBook> | null = null
  return {
    denied(events: readonly OversightEvent[]): void {
      const security = events.filter(({ stream }) => stream === 'security')
      if (security.length === 0) return
      opening ??= import('../audit/index.ts').then(({ createDenialBook }) =>
        createDenialBook({ record: keep, now }),
      )
      void opening.then((book) => book.add(security))
    },
    async close(): Promise<void> {
      const lost = (await (await opening)?.close()) ?? 0
      if (lost === 0) return
      const text = `${lost} denied requests are not in the audit log.`
      log({ level: 'error', code: 'audit.entry-lost', text })
    },
  }
}

const applyAction = 'configuration.apply'

export function openAuditDesk(parts: AuditDeskParts): AuditDesk {
  const { now, log } = parts
  const anchor = createCheckpointAnchor(parts)
  const { trail, keep } = createLazyTrail({ ...parts, onCheckpoint: anchor.publish })
  const denials = openDenials(parts, keep)

  async function store(event: OversightEvent, details: AuditDetails): Promise<void> {
    await trail.record(event, details).catch(() => {
      log({ level: 'error', code: 'audit.entry-lost', text: `${event.action} is not in the audit log.` })
    })
  }

  const peers = watchPeers(parts, trail)

  return {
    trail,
    note: (action, details = {}) =>
      store(systemEvent(now(), { action, outcome: 'success', reason: '' }), details),
    applyBegins: () =>
      trail.record(systemEvent(now(), { action: applyAction, outcome: 'unknown', reason: '' }), {
        phase: 'intent',
      }),
    applyEnded: (reason) =>
      store(
        systemEvent(now(), { action: applyAction, outcome: reason === '' ? 'success' : 'failure', reason }),
        {
          phase: 'result',
        },
      ),
    denied: denials.denied,
    async close() {
      await peers.stop()
      await denials.close()
      await trail.close()
      await anchor.close()
    },
  }
}
