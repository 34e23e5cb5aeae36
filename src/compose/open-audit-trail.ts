/** The audit trail on its files: keys, guard and lock in `audit-keys/`, the log in `audit/`. */
import type { DataDirectory } from '../adapters/data-directory/data-directory.ts'
import { openDurableFiles } from '../adapters/durable-files/open-durable-files.ts'
import { acquireWriterLock } from '../adapters/event-log/writer-lock.ts'
import {
  type AuditTrail,
  createAuditTrail,
  exchangeCheckpoints,
  isSealedBefore,
  type OpenedTrail,
  openSigningKeys,
  openSubjectKeys,
  openTileLog,
  rewrapSigningKeys,
} from '../audit/index.ts'
import { Fault } from '../kernel/fault.ts'
import { randomBase62 } from '../kernel/ids.ts'
import type { SecretBox } from '../ports/secret-box.ts'
import type { Log } from '../supervisor/log.ts'

export interface AuditTrailParts {
  readonly directory: Pick<DataDirectory, 'auditDirectory' | 'auditKeyDirectory'>
  readonly secretBox: SecretBox
  readonly now: () => number
  readonly log: Log
  /** A checkpoint was published: a signed note, for others to keep. */
  readonly onCheckpoint: (note: string) => void
}

async function openParts(parts: AuditTrailParts): Promise<OpenedTrail> {
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
      onCheckpoint,
    })
    return {
      log,
      subjects,
      rewrapSigningKeys: () => rewrapSigningKeys(keyParts),
      exchange: (board) => exchangeCheckpoints(board, { files, keyFiles: guard, signer, now }),
      release: lock.release,
    }
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

/** Opens with its first event; where it cannot be opened, the process log says why. */
export function openAuditTrail(parts: AuditTrailParts): AuditTrail {
  return createAuditTrail(() =>
    openParts(parts).catch((error: unknown) => {
      const text = `The audit log cannot be opened: ${describeTrouble(error)}. Administrative changes are refused.`
      parts.log({ level: 'error', code: 'audit.unavailable', text })
      throw error
    }),
  )
}
