/**
 * The root key: 32 random bytes in a file that only its owner may read. It is created once, whole or not at all,
 * and never overwritten: losing it loses every sealed secret.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'

export const rootKeyBytes = 32

function refuse(path: string, reason: string): Fault {
  return new Fault(faults.dataDirectory, { public: { reason: `the root key file ${path} ${reason}` } })
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/** The key in the file. Fault when it is absent, not a plain file, readable by others, or of the wrong length. */
export function readRootKey(path: string): Buffer {
  let descriptor: number
  try {
    // No symbolic links: the checks below hold for the file that is read (same descriptor) and no other.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  } catch (error) {
    throw refuse(path, hasCode(error, 'ENOENT') ? 'does not exist' : 'cannot be opened')
  }
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) throw refuse(path, 'is not a plain file')
    // Windows keeps no POSIX mode bits; there the access list of the data directory protects the file.
    if (process.platform !== 'win32') {
      if ((stat.mode & 0o077) !== 0) throw refuse(path, `may be read by others; run: chmod 600 ${path}`)
      if (process.getuid !== undefined && stat.uid !== process.getuid())
        throw refuse(path, 'belongs to another user; give it to the user who runs Gatewright')
    }
    const key = Buffer.alloc(rootKeyBytes)
    if (stat.size !== rootKeyBytes || readSync(descriptor, key) !== rootKeyBytes) {
      throw refuse(path, `does not hold ${rootKeyBytes} bytes; put it back from your backup`)
    }
    return key
  } finally {
    closeSync(descriptor)
  }
}

function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Creates the file unless it exists. True when this call created it. */
export function createRootKey(path: string): boolean {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`
  const descriptor = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    try {
      writeSync(descriptor, randomBytes(rootKeyBytes))
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    // A link fails when the name is taken; a rename would overwrite.
    linkSync(draft, path)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
  syncDirectory(dirname(path))
  return true
}
