/**
 * Signed notes and verifier keys (C2SP signed-note), and the two signatures that a log here puts on a checkpoint:
 *
 *   0x01  Ed25519 over the text of the note
 *   0x06  ML-DSA-44 cosignature (C2SP tlog-cosignature): over name, time, origin, size and root of the checkpoint
 *
 * Bounds: notes of `maxNoteBytes` with `maxSignatures`.
 */
import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { parseCheckpointText } from './checkpoint-text.ts'

export const maxNoteBytes = 1_048_576
/** The specification demands 16; witnesses may add theirs. */
const maxSignatures = 64

const ed25519Type = 0x01
const mlDsaType = 0x06

/** SubjectPublicKeyInfo of each kind up to the key itself (RFC 8410; RFC 9881). */
const kinds = {
  [ed25519Type]: { spki: Buffer.from('302a300506032b6570032100', 'hex'), keyBytes: 32 },
  [mlDsaType]: { spki: Buffer.from('30820532300b06096086480165030403110382052100', 'hex'), keyBytes: 1312 },
} as const
type SignatureType = keyof typeof kinds

export interface VerifierKey {
  readonly name: string
  readonly type: SignatureType
  /** First four bytes of SHA-256 over name, newline, type and key. */
  readonly id: Buffer
  readonly publicKey: KeyObject
}

export interface NoteSignature {
  readonly name: string
  readonly keyId: Buffer
  readonly bytes: Buffer
}

export interface SignedNote {
  /** With its last newline. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

export class NoteError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'NoteError'
  }
}

const namePattern = /^[^\s+\p{C}]{1,255}$/u

function strictBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : null
}

function keyIdOf(name: string, type: number, raw: Uint8Array): Buffer {
  return createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([type]))
    .update(raw)
    .digest()
    .subarray(0, 4)
}

function rawKey(key: KeyObject, type: SignatureType): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(kinds[type].spki.length)
}

export function verifierKey(name: string, publicKey: KeyObject): VerifierKey {
  const type = publicKey.asymmetricKeyType === 'ed25519' ? ed25519Type : mlDsaType
  return { name, type, id: keyIdOf(name, type, rawKey(publicKey, type)), publicKey }
}

/** True for a key whose signatures say of whose log a checkpoint is, and when it was signed. */
export function isCosigner({ type }: VerifierKey): boolean {
  return type === mlDsaType
}

/** `<name>+<key id>+<base64 of type and key>`. */
export function formatVerifierKey({ name, type, id, publicKey }: VerifierKey): string {
  const material = Buffer.concat([Buffer.from([type]), rawKey(publicKey, type)])
  return `${name}+${id.toString('hex')}+${material.toString('base64')}`
}

/** @throws NoteError */
export function parseVerifierKey(text: string): VerifierKey {
  const [name = '', id = '', ...rest] = text.split('+')
  const material = strictBase64(rest.join('+'))
  const type = material?.[0]
  if (!namePattern.test(name) || !/^[0-9a-f]{8}$/.test(id) || material === null) {
    throw new NoteError('This is no verifier key: <name>+<8 hexadecimal digits>+<base64>.')
  }
  if (type !== ed25519Type && type !== mlDsaType) {
    throw new NoteError(`The verifier key of ${name} is of a kind that is not supported.`)
  }
  const raw = material.subarray(1)
  if (raw.length !== kinds[type].keyBytes || keyIdOf(name, type, raw).toString('hex') !== id) {
    throw new NoteError(`The verifier key of ${name} is damaged.`)
  }
  const der = Buffer.concat([kinds[type].spki, raw])
  return verifierKey(name, createPublicKey({ key: der, format: 'der', type: 'spki' }))
}

/** @throws NoteError */
export function parseNote(note: string): SignedNote {
  if (note.length > maxNoteBytes) throw new NoteError('The note is too long.')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the specification forbids exactly these
  if (/[\x00-\x09\x0b-\x1f\ufffd]/.test(note))
    throw new NoteError('The note holds characters that no note holds.')
  const split = note.lastIndexOf('\n\n')
  if (split < 1 || !note.endsWith('\n')) throw new NoteError('The note has no signatures.')
  const lines = note.slice(split + 2, -1).split('\n')
  if (lines.length > maxSignatures) throw new NoteError('The note has too many signatures.')
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignature) }
}

function parseSignature(line: string): NoteSignature {
  const [dash, name, encoded, ...rest] = line.split(' ')
  const bytes = strictBase64(encoded ?? '')
  const isOne = dash === '—' && rest.length === 0 && name !== undefined && namePattern.test(name)
  if (!isOne || bytes === null || bytes.length < 5) throw new NoteError('A signature line is damaged.')
  return { name, keyId: bytes.subarray(0, 4), bytes: bytes.subarray(4) }
}

export function formatSignature({ name, id }: VerifierKey, signature: Uint8Array): string {
  return `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`
}

/** `cosigned_message` of tlog-cosignature; null where the text is no checkpoint. */
function cosignedMessage(name: string, text: string, time: Buffer): Buffer | null {
  const checkpoint = parseCheckpointText(text)
  if (checkpoint === null) return null
  const counted = (value: string): Buffer => {
    const bytes = Buffer.from(value)
    return Buffer.concat([Buffer.from([bytes.length]), bytes])
  }
  const bounds = Buffer.alloc(16)
  bounds.writeBigUInt64BE(BigInt(checkpoint.size), 8)
  const label = Buffer.from('subtree/v1\n\0')
  return Buffer.concat([label, counted(name), time, counted(checkpoint.origin), bounds, checkpoint.root])
}

function isSignedBy({ type, name, publicKey }: VerifierKey, text: string, bytes: Buffer): boolean {
  if (type === ed25519Type) return verify(null, Buffer.from(text), publicKey, bytes)
  const message = cosignedMessage(name, text, bytes.subarray(0, 8))
  return message !== null && verify(null, message, publicKey, bytes.subarray(8))
}

/**
 * The note, once every one of `keys` has signed it. More is asked than the specification does, which is content with
 * one: who names two keys wants both.
 * @throws NoteError
 */
export function openNote(note: string, keys: readonly VerifierKey[]): SignedNote {
  const parsed = parseNote(note)
  if (keys.length === 0) throw new NoteError('No verifier key was given.')
  for (const key of keys) {
    const own = parsed.signatures.filter(({ name, keyId }) => name === key.name && keyId.equals(key.id))
    if (own.length === 0) throw new NoteError(`There is no signature of the key ${keyLabel(key)}.`)
    if (!own.every(({ bytes }) => isSignedBy(key, parsed.text, bytes)))
      throw new NoteError(`The signature of the key ${keyLabel(key)} does not hold.`)
  }
  return parsed
}

function keyLabel({ name, id }: VerifierKey): string {
  return `${name}+${id.toString('hex')}`
}

/** A signature line of `privateKey`, whose verifier key is `key`; `time` in Unix milliseconds. */
export function signText(
  text: string,
  key: VerifierKey,
  parts: { privateKey: KeyObject; time: number },
): string {
  if (key.type === ed25519Type) return formatSignature(key, sign(null, Buffer.from(text), parts.privateKey))
  const seconds = Buffer.alloc(8)
  seconds.writeBigUInt64BE(BigInt(Math.floor(parts.time / 1000)))
  const message = cosignedMessage(key.name, text, seconds)
  if (message === null) throw new NoteError('Only a checkpoint can be cosigned.')
  return formatSignature(key, Buffer.concat([seconds, sign(null, message, parts.privateKey)]))
}
