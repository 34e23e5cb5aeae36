/**
 * The envelope `gwe1.<root key id>.<wrapped data key>.<content>`, parts in base64url:
 *
 *   wrapped data key = nonce(12) ‖ AES-256-GCM(wrapping key, data key(32)) ‖ tag(16)
 *   content          = nonce(12) ‖ AES-256-GCM(data key, secret)          ‖ tag(16)
 *
 * Both parts authenticate version, part and context as additional data, so a part cannot be moved to another
 * envelope or context. The wrapping key is derived from the root key by HKDF-SHA-256 (RFC 5869). Nonces are
 * random (NIST SP 800-38D §8.2.2): each data key seals once; a wrapping key is good for 2^32 envelopes.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const version = 'gwe1'
const nonceBytes = 12
const tagBytes = 16
const keyBytes = 32
const maxSealedLength = 128 * 1024

export interface WrappingKey {
  /** 8 bytes as base64url: names the root key without telling anything about it. */
  readonly id: string
  readonly key: Buffer
}

export function deriveWrappingKey(rootKey: Buffer): WrappingKey {
  const derive = (info: string, length: number) => Buffer.from(hkdfSync('sha256', rootKey, '', info, length))
  return {
    id: derive('gatewright secret box: root key id', 8).toString('base64url'),
    key: derive('gatewright secret box: wrapping key', keyBytes),
  }
}

interface Part {
  readonly name: 'key' | 'content'
  readonly context: string
}

const additionalData = (part: Part) => Buffer.from(`${version}\0${part.name}\0${part.context}`)

function encrypt(key: Buffer, plaintext: Uint8Array, part: Part): string {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(additionalData(part))
  const body = [nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]
  return Buffer.concat(body).toString('base64url')
}

/** Throws when anything was altered. */
function decrypt(key: Buffer, text: string, part: Part): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  // Base64 decoding forgives stray characters and spare bits; only the one true spelling is taken.
  if (bytes.length < nonceBytes + tagBytes || bytes.toString('base64url') !== text) {
    throw new Error('not an envelope part')
  }
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
  decipher.setAAD(additionalData(part)).setAuthTag(bytes.subarray(bytes.length - tagBytes))
  const body = decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes))
  return Buffer.concat([body, decipher.final()])
}

export function sealEnvelope(wrapping: WrappingKey, plaintext: Uint8Array, context: string): string {
  const dataKey = randomBytes(keyBytes)
  const wrapped = encrypt(wrapping.key, dataKey, { name: 'key', context })
  const content = encrypt(dataKey, plaintext, { name: 'content', context })
  dataKey.fill(0)
  return `${version}.${wrapping.id}.${wrapped}.${content}`
}

interface Envelope {
  readonly keyId: string
  readonly wrapped: string
  readonly content: string
}

/** Null when the text is no envelope of this version. */
export function parseEnvelope(text: string): Envelope | null {
  if (text.length > maxSealedLength) return null
  const [found, keyId, wrapped, content, ...rest] = text.split('.', 5)
  if (found !== version || keyId === undefined || wrapped === undefined || content === undefined) return null
  return rest.length === 0 ? { keyId, wrapped, content } : null
}

/** Throws when the envelope was altered or belongs to another context. */
export function openEnvelope(wrapping: WrappingKey, envelope: Envelope, context: string): Buffer {
  const dataKey = decrypt(wrapping.key, envelope.wrapped, { name: 'key', context })
  const plaintext = decrypt(dataKey, envelope.content, { name: 'content', context })
  dataKey.fill(0)
  return plaintext
}

export interface Rewrap {
  readonly from: WrappingKey
  readonly to: WrappingKey
  readonly context: string
}

/** The same content under a newly wrapped data key. Throws as `openEnvelope` does. */
export function rewrapEnvelope(envelope: Envelope, { from, to, context }: Rewrap): string {
  // Opened in full: a damaged envelope must not come out looking fresh.
  openEnvelope(from, envelope, context).fill(0)
  const dataKey = decrypt(from.key, envelope.wrapped, { name: 'key', context })
  const wrapped = encrypt(to.key, dataKey, { name: 'key', context })
  dataKey.fill(0)
  return `${version}.${to.id}.${wrapped}.${envelope.content}`
}
