/** Watches over the audit logs of the other nodes that share the store, and shows them this one's. */
import type { AuditTrail, PeerTrouble } from '../audit/index.ts'
import type { CheckpointBoard } from '../ports/checkpoint-board.ts'
import type { Log } from '../supervisor/log.ts'
import { systemEvent } from './system-event.ts'

const defaultTurnMs = 10_000

export interface PeerWatchParts {
  readonly board?: CheckpointBoard
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Log
  readonly turnMs?: number
}

function describe({ log, reason, size }: PeerTrouble): string {
  const what = {
    'cut-back': `was cut back: it had ${size} entries`,
    rewritten: `is not what it was when it had ${size} entries`,
    unsigned: 'has a checkpoint that its keys did not sign, or that cannot be read',
  }[reason]
  return `The audit log ${log} of another node ${what}. Hold it against what is kept here: gatewright audit verify --checkpoint.`
}

/** Each trouble is told once, in the process log and the own audit log, while it lasts. */
export function watchPeers(
  { board, now, log, turnMs = defaultTurnMs }: PeerWatchParts,
  trail: Pick<AuditTrail, 'exchange' | 'record'>,
): { stop(): Promise<void> } {
  if (board === undefined) return { stop: () => Promise.resolve() }
  const told = new Set<string>()
  let turn: Promise<void> | null = null

  function tell(trouble: PeerTrouble): void {
    log({ level: 'error', code: 'audit.peer-differs', text: describe(trouble) })
    const event = systemEvent(now(), {
      action: 'audit.peer-differs',
      outcome: 'failure',
      reason: trouble.reason,
      stream: 'security',
      severity: 'critical',
      resource: { kind: 'audit-log', id: trouble.log },
    })
    // The process log has it.
    trail.record(event).catch(() => undefined)
  }

  async function exchange(shared: CheckpointBoard): Promise<void> {
    const found = await trail.exchange(shared)
    const troubles = new Map(found.map((each) => [`${each.reason} ${each.log}`, each]))
    for (const key of told) if (!troubles.has(key)) told.delete(key)
    for (const [key, trouble] of troubles) {
      if (told.has(key)) continue
      told.add(key)
      tell(trouble)
    }
  }

  const timer = setInterval(() => {
    // Where the store is lost, or the log cannot be read, others say so; the next turn does it.
    turn ??= exchange(board)
      .catch(() => undefined)
      .finally(() => {
        turn = null
      })
  }, turnMs).unref()
  return {
    async stop() {
      clearInterval(timer)
      await turn
    },
  }
}
