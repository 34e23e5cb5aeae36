/**
 * One sealed record, little-endian:
 *
 *   header length u32 │ header JSON │ nonce(12) │ AES-256-GCM(data key, plaintext) │ tag(16)
 *   plaintext = meta length u32 │ meta JSON │ request bytes │ response bytes
 *
 * The data key is random, serves one record, and stands in the header, sealed by the SecretBox under the context
 * `content:<request id>`: the content itself is larger than a SecretBox takes. The header is authenticated as
 * additional data, so a record cannot be given to another organization or request by editing it.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { ContentBody, ContentRecord } from '../../domain/content.ts'
import { isJsonObject, type JsonObject } from '../../domain/json.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { SecretBox } from '../../ports/secret-box.ts'

const nonceBytes = 12
const tagBytes = 16
const keyBytes = 32
const lengthBytes = 4

/** What can be told of a record without opening it. */
export interface SealedHeader {
  readonly id: string
  readonly organizationId: string
  /** Unix milliseconds. */
  readonly time: number
  /** The data key, sealed. */
  readonly key: string
}

const contextOf = (id: string): string => `content:${id}`

function lengthOf(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(lengthBytes)
  length.writeUInt32LE(bytes.byteLength)
  return length
}

/** Seal a record. Memory: three times its content. */
export async function sealRecord(record: ContentRecord, secretBox: SecretBox): Promise<Buffer> {
  const { id, organizationId, time, request, response, ...rest } = record
  const dataKey = randomBytes(keyBytes)
  const key = await secretBox.seal(dataKey, contextOf(id))
  const header = Buffer.from(JSON.stringify({ id, organizationId, time, key } satisfies SealedHeader))
  const shape = ({ contentType, bytes, kept }: ContentBody) => ({ contentType, bytes, kept: kept.byteLength })
  const meta = Buffer.from(JSON.stringify({ ...rest, request: shape(request), response: shape(response) }))
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', dataKey, nonce).setAAD(header)
  const sealed = [lengthOf(meta), meta, request.kept, response.kept].map((part) => cipher.update(part))
  dataKey.fill(0)
  return Buffer.concat([lengthOf(header), header, nonce, ...sealed, cipher.final(), cipher.getAuthTag()])
}

/** The header of a sealed record, or null where there is none. */
export function readHeader(sealed: Buffer): SealedHeader | null {
  if (sealed.length < lengthBytes) return null
  const header = parse(sealed.subarray(lengthBytes, lengthBytes + sealed.readUInt32LE(0)))
  if (header === null) return null
  const { id, organizationId, time, key } = header
  const isHeader =
    typeof id === 'string' &&
    typeof organizationId === 'string' &&
    typeof time === 'number' &&
    typeof key === 'string'
  return isHeader ? { id, organizationId, time, key } : null
}

function parse(bytes: Buffer): JsonObject | null {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'))
    return isJsonObject(parsed) ? parsed : null
  } catch {
    return null
  }
}

function unreadable(internal: string): Fault {
  return new Fault(faults.secretUnreadable, { internal })
}

/** Open a record. @throws Fault `storage.secret-unreadable` when it was altered or its root key is lost */
export async function openRecord(sealed: Buffer, secretBox: SecretBox): Promise<ContentRecord> {
  const header = readHeader(sealed)
  if (header === null) throw unreadable('the record has no header')
  const dataKey = await secretBox.open(header.key, contextOf(header.id))
  const start = lengthBytes + sealed.readUInt32LE(0)
  const plaintext = decrypt(sealed, start, dataKey)
  dataKey.fill(0)
  const metaEnd = lengthBytes + plaintext.readUInt32LE(0)
  const meta = parse(plaintext.subarray(lengthBytes, metaEnd))
  if (meta === null) throw unreadable('the record has no meta data')
  const { request, response, ...rest } = meta as unknown as StoredMeta
  const bodies = plaintext.subarray(metaEnd)
  const { id, organizationId, time } = header
  return {
    id,
    organizationId,
    time,
    ...rest,
    request: { ...request, kept: bodies.subarray(0, request.kept) },
    response: { ...response, kept: bodies.subarray(request.kept, request.kept + response.kept) },
  }
}

type StoredBody = Omit<ContentBody, 'kept'> & { readonly kept: number }
type StoredMeta = Omit<ContentRecord, 'id' | 'organizationId' | 'time' | 'request' | 'response'> & {
  readonly request: StoredBody
  readonly response: StoredBody
}

function decrypt(sealed: Buffer, start: number, dataKey: Buffer): Buffer {
  const end = sealed.length - tagBytes
  if (end < start + nonceBytes) throw unreadable('the record is too short')
  try {
    const nonce = sealed.subarray(start, start + nonceBytes)
    const decipher = createDecipheriv('aes-256-gcm', dataKey, nonce, { authTagLength: tagBytes })
    decipher.setAAD(sealed.subarray(lengthBytes, start)).setAuthTag(sealed.subarray(end))
    return Buffer.concat([decipher.update(sealed.subarray(start + nonceBytes, end)), decipher.final()])
  } catch {
    throw unreadable('the record was altered')
  }
}
