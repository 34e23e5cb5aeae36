/**
 * The data directory: 0700, ours, on this machine. Everything that must outlive the process lies here.
 *
 *   data/  root.key  tls/{ca,server}.{crt,key}  gatewright.db  usage/  admin-token  lock
 */
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface DataDirectory {
  readonly path: string
  readonly rootKeyFile: string
  readonly databaseFile: string
  readonly tlsDirectory: string
  readonly usageDirectory: string
  readonly adminTokenFile: string
}

/**
 * Create the directory if it is not there, and make sure that nobody else can read it.
 * @throws Error when it belongs to another user or is no directory
 */
export function openDataDirectory(path: string): DataDirectory {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const stats = statSync(path)
  if (!stats.isDirectory()) throw new Error(`${path} is not a directory`)
  const uid = process.getuid?.()
  if (uid !== undefined && stats.uid !== uid) throw new Error(`${path} belongs to another user`)
  if ((stats.mode & 0o077) !== 0) chmodSync(path, 0o700)
  return {
    path,
    rootKeyFile: join(path, 'root.key'),
    databaseFile: join(path, 'gatewright.db'),
    tlsDirectory: join(path, 'tls'),
    usageDirectory: join(path, 'usage'),
    adminTokenFile: join(path, 'admin-token'),
  }
}
