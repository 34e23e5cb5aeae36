/**
 * The SecretBox port over root key files. The first key seals; the others only open, so that a rotation is: new
 * key first, `rewrap` everything that `needsRewrap`, then drop the old file. Bound: `maxRootKeys`.
 */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { maxPlaintextBytes, type SecretBox } from '../../ports/secret-box.ts'
import {
  deriveWrappingKey,
  openEnvelope,
  parseEnvelope,
  rewrapEnvelope,
  sealEnvelope,
  type WrappingKey,
} from './envelope.ts'
import { createRootKey, readRootKey } from './root-key-file.ts'

const maxRootKeys = 8

export interface FileSecretBoxOptions {
  /** Root key file; created when absent. */
  readonly path: string
  /** Root key files that only open, the older ones; they must exist. */
  readonly previousPaths?: readonly string[]
}

function unreadable(internal: string): Fault {
  return new Fault(faults.secretUnreadable, { internal })
}

/** Throws `faults.dataDirectory` for a root key file that cannot be trusted. */
export function openFileSecretBox(options: FileSecretBoxOptions): SecretBox {
  const previous = options.previousPaths ?? []
  if (previous.length >= maxRootKeys) throw new RangeError(`at most ${maxRootKeys} root keys`)
  createRootKey(options.path)
  const current = deriveWrappingKey(readRootKey(options.path))
  const known = new Map<string, WrappingKey>()
  for (const path of previous) {
    const key = deriveWrappingKey(readRootKey(path))
    known.set(key.id, key)
  }
  known.set(current.id, current)

  function attempt<T>(
    sealed: string,
    use: (envelope: NonNullable<ReturnType<typeof parseEnvelope>>, key: WrappingKey) => T,
  ): T {
    const envelope = parseEnvelope(sealed)
    if (envelope === null) throw unreadable('the text is not a sealed envelope')
    const key = known.get(envelope.keyId)
    if (key === undefined) throw unreadable('the envelope stands under a root key that is not here')
    try {
      return use(envelope, key)
    } catch {
      // The cause tells nothing more than that authentication failed.
      throw unreadable('the envelope was altered or belongs to another context')
    }
  }

  return {
    async seal(plaintext, context) {
      const bytes = typeof plaintext === 'string' ? Buffer.from(plaintext) : plaintext
      if (bytes.length > maxPlaintextBytes)
        throw new RangeError(`a secret has at most ${maxPlaintextBytes} bytes`)
      return sealEnvelope(current, bytes, context)
    },
    open: async (sealed, context) => attempt(sealed, (envelope, key) => openEnvelope(key, envelope, context)),
    rewrap: async (sealed, context) =>
      attempt(sealed, (envelope, from) => rewrapEnvelope(envelope, { from, to: current, context })),
    needsRewrap: (sealed) => parseEnvelope(sealed)?.keyId !== current.id,
  }
}
