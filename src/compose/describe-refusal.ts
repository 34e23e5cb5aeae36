/**
 * What a person reads when Gatewright cannot start, or cannot load a configuration: what is wrong, where, and what
 * to do about it. Only errors of our own and of the system's file and socket calls are told; of any other error
 * the class alone, because messages may quote data.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { faults } from '../faults/catalogue.ts'
import { ConfigError, describeProblem } from '../faults/config-error.ts'
import { Fault } from '../kernel/fault.ts'

interface SystemError {
  readonly code?: unknown
  readonly path?: unknown
  readonly address?: unknown
  readonly port?: unknown
  /** Result code of SQLite, with an error of `node:sqlite`. */
  readonly errcode?: unknown
}

const otherDirectory = 'or name another directory with --data-dir.'

const fileErrors: Readonly<Record<string, string>> = {
  EACCES: `may not be written by this user: change its owner or mode, ${otherDirectory}`,
  EPERM: `may not be written by this user: change its owner or mode, ${otherDirectory}`,
  EROFS: `is on a read-only file system: mount a volume there, ${otherDirectory}`,
  EEXIST: `is in the way, because it is not a directory: move it, ${otherDirectory}`,
  ENOTDIR: `lies below something that is not a directory: move that, ${otherDirectory}`,
  ENOENT: `cannot be made: its parent is missing or takes no directories. Make it, ${otherDirectory}`,
  ENOSPC: 'cannot be written: the disk is full. Make room and start again.',
  EDQUOT: 'cannot be written: the quota of this user is used up. Make room and start again.',
  EFBIG: 'cannot be written: it has reached the largest size of a file. Raise the limit and start again.',
}

/** Primary result codes, https://www.sqlite.org/rescode.html */
const sqliteErrors: Readonly<Record<number, string>> = {
  5: 'is in use by another program: end that first.',
  8: `may not be written by this user: change its owner or mode, ${otherDirectory}`,
  10: 'cannot be read or written: look at the health of the disk.',
  11: 'is damaged: put back a copy from a backup.',
  13: 'cannot be written: the disk is full. Make room and start again.',
  14: `cannot be opened: change its owner or mode, ${otherDirectory}`,
  26: 'is not a database: move it, or put back a copy from a backup.',
}

/** One or more lines, each a whole statement. `dataDirectory`: null where none is in question. */
export function describeRefusal(error: unknown, dataDirectory: string | null): string {
  if (error instanceof ConfigError) return error.problems.map(describeProblem).join('\n')
  if (error instanceof Fault) {
    const isForeignKey = error.code === faults.secretUnreadable.code && dataDirectory !== null
    return isForeignKey ? rootKeyText(dataDirectory, 'is not the one that sealed the') : error.publicText
  }
  const { code, path, address, port, errcode } = error as SystemError
  if (code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' && dataDirectory !== null) {
    const reason = sqliteErrors[errcode & 0xff]
    if (reason !== undefined) return `The database in ${dataDirectory} ${reason}`
  }
  // An error about port 0 carries no port.
  if (typeof address === 'string')
    return describeBindError(code, typeof port === 'number' ? `${address}:${port}` : address)
  if (typeof path === 'string') {
    const reason = fileErrors[String(code)]
    if (reason !== undefined) return `${path} ${reason}`
  }
  if (error instanceof StartRefusal) return error.message
  return `The reason is ${String(code ?? (error instanceof Error ? error.name : 'unknown'))}.`
}

function rootKeyText(dataDirectory: string, state: string): string {
  return [
    `The root key file ${join(dataDirectory, 'root.key')} ${state} secrets in the database beside it.`,
    'Put the right one back from your backup. Without it those secrets are lost: start with an empty data directory',
    'instead (--data-dir), and store the credentials of your providers anew.',
  ].join('\n')
}

/** A start that cannot be, with a message for the person who reads it. */
export class StartRefusal extends Error {}

/** A new root key beside an old database would open nothing of it, and hide what was lost. @throws when it is gone */
export function requireRootKey(directory: {
  readonly path: string
  readonly rootKeyFile: string
  readonly databaseFile: string
}): void {
  if (existsSync(directory.rootKeyFile) || !existsSync(directory.databaseFile)) return
  throw new StartRefusal(rootKeyText(directory.path, 'is missing. It sealed the'))
}

/** `place`: address and port. */
function describeBindError(code: unknown, place: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `The address ${place} is taken by another program: end that, or choose another port.`
    case 'EADDRNOTAVAIL':
      return `The address ${place} is not one of this machine: choose another host.`
    case 'EACCES':
      return `This user may not listen on ${place}: choose a port above 1023.`
    default:
      return `The address ${place} cannot be bound (${String(code)}).`
  }
}

const planes = {
  gateway: 'data plane (gateway.http and gateway.https in the configuration)',
  control: 'control plane (control.http and control.https in the configuration)',
} as const

/** The whole text for a start that failed. `plane`: whose listeners are meant where an address cannot be bound. */
export function describeStartRefusal(
  error: unknown,
  where: { readonly dataDirectory: string | null; readonly plane: keyof typeof planes },
): string {
  const lines = ['Gatewright cannot start.', ...describeRefusal(error, where.dataDirectory).split('\n')]
  if (typeof (error as SystemError).address === 'string')
    lines.push(`It is meant for the ${planes[where.plane]}.`)
  return lines.join('\n  ')
}
