/**
 * The audit trail of a node: events go in, entries of the log come of them.
 *
 *   event ─▶ personal fields sealed by subject ─▶ canonical JSON ─▶ log ─▶ resolved once it is published
 *
 * It opens with its first event, so that no start waits for it. Where it cannot be opened, or
 * an entry cannot be published, `record` rejects: the caller then leaves undone what was to be recorded.
 */

import type { Subject } from '../domain/audit-subject.ts'
import type { EventStream, OversightEvent } from '../domain/oversight-event.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { CheckpointBoard } from '../ports/checkpoint-board.ts'
import { canonicalJson, toCanonicalValue } from './canonical-json.ts'
import { type AuditDetails, encodeEntry, personalText, subjectOf } from './entry.ts'
import type { PeerTrouble } from './peer-checkpoints.ts'
import type { SealedFields, SubjectKeys } from './subject-keys.ts'
import type { TileLog } from './tile-log.ts'

/** What a trail works with, once it is open. */
export interface OpenedTrail {
  readonly log: TileLog
  readonly subjects: SubjectKeys
  rewrapSigningKeys(): Promise<boolean>
  /** As `exchangeCheckpoints`. */
  exchange(board: CheckpointBoard): Promise<readonly PeerTrouble[]>
  /** Once nothing is written any more. */
  release(): void
}

export interface AuditFigures {
  /** Entries published since the start, by stream and outcome. */
  readonly entries: readonly {
    readonly stream: EventStream
    readonly outcome: OversightEvent['outcome']
    readonly count: number
  }[]
  /** Entries that could not be published since the start. */
  readonly failures: number
  /** Entries of the log and time of its last checkpoint (Unix milliseconds); null: it is not open. */
  readonly published: TileLog['published'] | null
}

export interface AuditTrail {
  /** Resolves once the entry is published. @throws Fault `audit.unavailable` */
  record(event: OversightEvent, details?: AuditDetails): Promise<void>
  /** Makes the personal fields of a subject unreadable. False: there are none. @throws Fault `audit.unavailable` */
  erase(subject: Subject): Promise<boolean>
  /** Keys of the log under the current root key. */
  rewrap(): Promise<{ readonly rewrapped: number; readonly kept: number }>
  /** Shows the log to other nodes and looks at theirs; nothing before the log is open. Those that are not what they were. */
  exchange(board: CheckpointBoard): Promise<readonly PeerTrouble[]>
  figures(): AuditFigures
  close(): Promise<void>
}

/** Events on their way at a time; more are refused. */
const maxPending = 4096

class OpeningTrail implements AuditTrail {
  readonly #openLog: () => Promise<OpenedTrail>
  #opening: Promise<OpenedTrail> | null = null
  #opened: OpenedTrail | null = null
  #failures = 0
  #pending = 0
  /** Bound: streams × outcomes. */
  readonly #counts = new Map<
    string,
    { stream: EventStream; outcome: OversightEvent['outcome']; count: number }
  >()

  constructor(openLog: () => Promise<OpenedTrail>) {
    this.#openLog = openLog
  }

  async #open(): Promise<OpenedTrail> {
    this.#opening ??= this.#openLog()
    try {
      this.#opened = await this.#opening
      return this.#opened
    } catch (cause) {
      throw unavailable(cause)
    }
  }

  async record(event: OversightEvent, details: AuditDetails = {}): Promise<void> {
    this.#pending += 1
    try {
      if (this.#pending > maxPending) throw new RangeError('too many events wait')
      const { log, subjects } = await this.#open()
      await log.append(encodeEntry(event, details, await sealPersonal(subjects, event, details)))
    } catch (cause) {
      this.#failures += 1
      throw unavailable(cause)
    } finally {
      this.#pending -= 1
    }
    const { stream, outcome } = event
    const key = `${stream} ${outcome}`
    const counted = this.#counts.get(key) ?? { stream, outcome, count: 0 }
    counted.count += 1
    this.#counts.set(key, counted)
  }

  async erase(subject: Subject): Promise<boolean> {
    return (await this.#open()).subjects.erase(subject)
  }

  async rewrap(): Promise<{ readonly rewrapped: number; readonly kept: number }> {
    const { subjects, rewrapSigningKeys } = await this.#open()
    // Last, because these say at the next start whether all of it is done.
    const { rewrapped, kept } = await subjects.rewrap()
    const wasNeeded = await rewrapSigningKeys()
    return wasNeeded ? { rewrapped: rewrapped + 1, kept } : { rewrapped, kept: kept + 1 }
  }

  async exchange(board: CheckpointBoard): Promise<readonly PeerTrouble[]> {
    return this.#opened === null ? [] : this.#opened.exchange(board)
  }

  figures(): AuditFigures {
    const entries = [...this.#counts.values()].map((counted) => ({ ...counted }))
    return { entries, failures: this.#failures, published: this.#opened?.log.published ?? null }
  }

  async close(): Promise<void> {
    const opened = await this.#opening?.catch(() => null)
    await opened?.log.close()
    opened?.release()
  }
}

function unavailable(cause: unknown): Fault {
  if (cause instanceof Fault && cause.code === faults.auditUnavailable.code) return cause
  return new Fault(faults.auditUnavailable, { internal: 'an entry cannot be stored', cause })
}

async function sealPersonal(
  subjects: SubjectKeys,
  event: OversightEvent,
  { personal }: AuditDetails,
): Promise<readonly SealedFields[]> {
  const sealed: SealedFields[] = []
  const subject = subjectOf(event)
  if (subject !== null) sealed.push(await subjects.seal(subject, personalText(event.actor), event.id))
  if (personal !== undefined) {
    const text = canonicalJson(toCanonicalValue(personal.fields))
    sealed.push(await subjects.seal(personal.subject, text, event.id))
  }
  return sealed
}

/** `openLog` is called once; it sees to its failure being told. */
export function createAuditTrail(openLog: () => Promise<OpenedTrail>): AuditTrail {
  return new OpeningTrail(openLog)
}
