/**
 * The audit log of this node: `audit/` in the data directory, with its keys and its guard in `audit-keys/`, and what
 * Gatewright itself does in it. It opens with its first entry, which says that the control plane has started. Where it
 * cannot be opened, traffic is served all the same; administrative changes and reloads are refused.
 */
import type { DataDirectory } from '../adapters/data-directory/data-directory.ts'
import { openDurableFiles } from '../adapters/durable-files/open-durable-files.ts'
import { acquireWriterLock } from '../adapters/event-log/writer-lock.ts'
import {
  type AuditDetails,
  type AuditTrail,
  createAuditTrail,
  isSealedBefore,
  type OpenedTrail,
  openSigningKeys,
  openSubjectKeys,
  openTileLog,
  rewrapSigningKeys,
} from '../audit/index.ts'
import type { OversightEvent } from '../domain/oversight-event.ts'
import { Fault } from '../kernel/fault.ts'
import { newId, randomBase62 } from '../kernel/ids.ts'
import type { SecretBox } from '../ports/secret-box.ts'
import type { Log } from '../supervisor/log.ts'

export interface AuditDeskParts {
  readonly directory: Pick<DataDirectory, 'auditDirectory' | 'auditKeyDirectory'>
  readonly secretBox: SecretBox
  readonly now: () => number
  readonly log: Log
  /** A checkpoint was published: a signed note, for others to keep. */
  readonly onCheckpoint?: (note: string) => void
}

export interface AuditDesk {
  readonly trail: AuditTrail
  /** Something that Gatewright does by itself. Lost entries go to the process log. */
  note(action: string, details?: AuditDetails): Promise<void>
  /** Before a configuration file changes the store. @throws Fault where it cannot be recorded */
  applyBegins(): Promise<void>
  /** What came of it; `reason`: code of the fault, or empty. */
  applyEnded(reason: string): Promise<void>
}

async function openParts(parts: AuditDeskParts): Promise<OpenedTrail> {
  const { directory, secretBox, now, onCheckpoint } = parts
  const guard = await openDurableFiles(directory.auditKeyDirectory)
  const lock = acquireWriterLock(directory.auditKeyDirectory)
  try {
    const files = await openDurableFiles(directory.auditDirectory)
    const newOrigin = (): string => `gatewright.local/audit/${randomBase62(16)}`
    const signer = await openSigningKeys({ files: guard, secretBox, newOrigin })
    const keyParts = { files: guard, secretBox }
    const subjects = await openSubjectKeys(keyParts)
    // Each node has keys of its own, so each brings them under a new root key by itself.
    if (await isSealedBefore(keyParts)) {
      await subjects.rewrap()
      await rewrapSigningKeys(keyParts)
    }
    const log = await openTileLog({
      files,
      guard,
      signer,
      now,
      ...(onCheckpoint === undefined ? {} : { onCheckpoint }),
    })
    return { log, subjects, rewrapSigningKeys: () => rewrapSigningKeys(keyParts), release: lock.release }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Words of our own and codes of the system; other messages may quote data. */
function describeTrouble(error: unknown): string {
  if (error instanceof Fault) return error.message
  if (error instanceof Error && ['LogDamage', 'NoteError'].includes(error.name)) return error.message
  return error instanceof Error && 'code' in error ? String(error.code) : 'an error of an unknown kind'
}

function systemEvent(
  now: number,
  fields: Pick<OversightEvent, 'action' | 'outcome' | 'reason'>,
): OversightEvent {
  return {
    id: newId('aud'),
    time: now,
    stream: 'audit',
    severity: fields.outcome === 'failure' ? 'medium' : 'info',
    organizationId: '',
    actor: { kind: 'system', id: '', applicationId: '', address: '', endUser: '' },
    resource: null,
    exchange: null,
    ...fields,
  }
}

const applyAction = 'configuration.apply'

export function openAuditDesk(parts: AuditDeskParts): AuditDesk {
  const { now, log } = parts
  const trail = createAuditTrail(() =>
    openParts(parts).catch((error: unknown) => {
      const text = `The audit log cannot be opened: ${describeTrouble(error)}. Administrative changes are refused.`
      log({ level: 'error', code: 'audit.unavailable', text })
      throw error
    }),
  )

  async function store(event: OversightEvent, details: AuditDetails): Promise<void> {
    await trail.record(event, details).catch(() => {
      log({ level: 'error', code: 'audit.entry-lost', text: `${event.action} is not in the audit log.` })
    })
  }

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
  }
}
