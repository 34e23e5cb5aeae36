/**
 * The data directory: 0700, ours, on this machine. Everything that must outlive the process lies here.
 *
 *   data/  root.key  tls/{ca,server}.{crt,key}  gatewright.db  usage/  events/  content/  audit/  audit-keys/
 *          admin-token  lock
 */
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'

export interface DataDirectory {
  readonly path: string
  readonly rootKeyFile: string
  readonly databaseFile: string
  readonly tlsDirectory: string
  readonly usageDirectory: string
  /** Events on their way to sinks. */
  readonly eventDirectory: string
  /** Sealed content, where the configuration asks for it; made with the first record. */
  readonly contentDirectory: string
  /** The audit log: tiles, entries and checkpoint, for everybody who may check it. */
  readonly auditDirectory: string
  /** Its keys, sealed, and its guard. */
  readonly auditKeyDirectory: string
  readonly adminTokenFile: string
}

/**
 * Create the directory if it is not there, and make sure that nobody else can read it.
 * @throws Fault when it belongs to another user; the system's error when it is no directory or cannot be made
 */
export function openDataDirectory(path: string): DataDirectory {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const stats = statSync(path)
  const uid = process.getuid?.()
  if (uid !== undefined && stats.uid !== uid) {
    const reason = `${path} belongs to another user; give it to the user who runs Gatewright, or name another directory with --data-dir`
    throw new Fault(faults.dataDirectory, { public: { reason } })
  }
  if ((stats.mode & 0o077) !== 0) chmodSync(path, 0o700)
  return {
    path,
    rootKeyFile: join(path, 'root.key'),
    databaseFile: join(path, 'gatewright.db'),
    tlsDirectory: join(path, 'tls'),
    usageDirectory: join(path, 'usage'),
    eventDirectory: join(path, 'events'),
    contentDirectory: join(path, 'content'),
    auditDirectory: join(path, 'audit'),
    auditKeyDirectory: join(path, 'audit-keys'),
    adminTokenFile: join(path, 'admin-token'),
  }
}
