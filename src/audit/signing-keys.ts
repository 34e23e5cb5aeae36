/**
 * The keys that a log signs its checkpoints with, made once: Ed25519, and ML-DSA-44 where this Node.js can. They rest
 * sealed under the root key; the verifier keys lie beside them for whoever is to check the log.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { DurableFiles } from '../ports/durable-files.ts'
import type { SecretBox } from '../ports/secret-box.ts'
import { type Checkpoint, formatCheckpointText } from './checkpoint-text.ts'
import { formatVerifierKey, isCosigner, signText, type VerifierKey, verifierKey } from './signed-note.ts'

const keyFile = 'signing-keys'
/** One verifier key a line. */
export const verifierKeysFile = 'verifier-keys'
const context = 'audit signing keys'

export interface CheckpointSigner {
  /** Names the log, for ever. */
  readonly origin: string
  readonly keys: readonly VerifierKey[]
  /** A signed note; `time` in Unix milliseconds. */
  sign(size: number, root: Buffer, time: number): string
  /** Signature lines on the checkpoint of another log, for having seen it grow; empty without ML-DSA. */
  cosign(text: string, time: number): string
}

interface StoredKeys {
  readonly origin: string
  /** PKCS #8, base64. */
  readonly privateKeys: readonly string[]
}

function generate(type: 'ed25519' | 'ml-dsa-44'): KeyObject {
  // Two calls, because each kind has a signature of its own.
  const { privateKey } =
    type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ml-dsa-44')
  return privateKey
}

function makeKeys(origin: string): StoredKeys {
  const made = [generate('ed25519')]
  try {
    made.push(generate('ml-dsa-44'))
  } catch {
    // An OpenSSL before 3.5 has no ML-DSA; the log is then signed with Ed25519 alone.
  }
  const encode = (key: KeyObject): string => key.export({ format: 'der', type: 'pkcs8' }).toString('base64')
  return { origin, privateKeys: made.map(encode) }
}

function isStored(value: unknown): value is StoredKeys {
  if (typeof value !== 'object' || value === null) return false
  const { origin, privateKeys } = value as Partial<Record<keyof StoredKeys, unknown>>
  return typeof origin === 'string' && Array.isArray(privateKeys) && privateKeys.length > 0
}

function createSigner({ origin, privateKeys }: StoredKeys): CheckpointSigner {
  const pairs = privateKeys.map((encoded) => {
    const privateKey = createPrivateKey({
      key: Buffer.from(encoded, 'base64'),
      format: 'der',
      type: 'pkcs8',
    })
    return { privateKey, key: verifierKey(origin, createPublicKey(privateKey)) }
  })
  return {
    origin,
    keys: pairs.map(({ key }) => key),
    sign(size, root, time) {
      const text = formatCheckpointText({ origin, size, root } satisfies Checkpoint)
      const lines = pairs.map(({ key, privateKey }) => signText(text, key, { privateKey, time }))
      return `${text}\n${lines.join('')}`
    },
    // The Ed25519 key signs checkpoints of its own log alone (C2SP tlog-cosignature).
    cosign: (text, time) =>
      pairs
        .filter(({ key }) => isCosigner(key))
        .map(({ key, privateKey }) => signText(text, key, { privateKey, time }))
        .join(''),
  }
}

export interface SigningKeyParts {
  readonly files: DurableFiles
  readonly secretBox: SecretBox
  /** Name of a log that is made now. */
  readonly newOrigin: () => string
}

/** @throws Fault where the keys stand under a root key that is not here */
export async function openSigningKeys({
  files,
  secretBox,
  newOrigin,
}: SigningKeyParts): Promise<CheckpointSigner> {
  const sealed = await files.read(keyFile)
  const stored: unknown =
    sealed === null
      ? makeKeys(newOrigin())
      : JSON.parse((await secretBox.open(sealed.toString('utf8'), context)).toString('utf8'))
  if (!isStored(stored)) throw new TypeError('the signing keys of the audit log are of an unknown form')
  const signer = createSigner(stored)
  if (sealed === null) {
    const bytes = Buffer.from(await secretBox.seal(JSON.stringify(stored), context))
    await files.write([{ path: keyFile, bytes }])
  }
  const text = signer.keys.map((key) => `${formatVerifierKey(key)}\n`).join('')
  if ((await files.read(verifierKeysFile))?.toString('utf8') !== text) {
    await files.write([{ path: verifierKeysFile, bytes: Buffer.from(text) }])
  }
  return signer
}

/** Under the current root key. True where that was needed. */
export async function rewrapSealedFile(
  path: string,
  sealedFor: string,
  { files, secretBox }: Pick<SigningKeyParts, 'files' | 'secretBox'>,
): Promise<boolean> {
  const sealed = (await files.read(path))?.toString('utf8')
  if (sealed === undefined || !secretBox.needsRewrap(sealed)) return false
  await files.write([{ path, bytes: Buffer.from(await secretBox.rewrap(sealed, sealedFor)) }])
  return true
}

/** True while they stand under an older root key. */
export async function isSealedBefore({
  files,
  secretBox,
}: Pick<SigningKeyParts, 'files' | 'secretBox'>): Promise<boolean> {
  const sealed = await files.read(keyFile)
  return sealed !== null && secretBox.needsRewrap(sealed.toString('utf8'))
}

export function rewrapSigningKeys(parts: Pick<SigningKeyParts, 'files' | 'secretBox'>): Promise<boolean> {
  return rewrapSealedFile(keyFile, context, parts)
}
