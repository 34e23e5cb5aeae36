/**
 * A key for each person (or machine) of whom the log keeps something personal. Personal fields are encrypted with it
 * before they are hashed into the log; once it is destroyed they are noise for ever, and every proof still holds.
 *
 *   name of the subject ──HMAC──▶ subjects/<2>/<62>   sealed { reference, key }
 *                                      reference: what entries say instead of a name; random, so that after the
 *                                                 erasure nobody can tell whose entries they were
 *
 * The key of the HMAC is made once and sealed; without the root key not even the names of files tell anything. A subject
 * that comes again after its erasure is a new one. Bound: `maxKept` keys in memory.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import type { Subject } from '../domain/audit-subject.ts'
import type { DurableFiles } from '../ports/durable-files.ts'
import type { SecretBox } from '../ports/secret-box.ts'
import { rewrapSealedFile } from './signing-keys.ts'

const nameKeyFile = 'subject-names'
const nameKeyContext = 'audit subject names'
const directory = 'subjects'
const maxKept = 1000
const nonceBytes = 12
const tagBytes = 16
const algorithm = 'aes-256-gcm'

/** What an entry holds of a subject. */
export interface SealedFields {
  /** Reference of the subject. */
  readonly subject: string
  /** Nonce, ciphertext and tag; base64url. */
  readonly sealed: string
}

interface SubjectKey {
  readonly reference: string
  readonly key: Buffer
}

export interface SubjectKeys {
  /** `place` names the entry: what was sealed for one cannot be moved into another. */
  seal(subject: Subject, plaintext: string, place: string): Promise<SealedFields>
  /** Destroys the key. False: there was none. */
  erase(subject: Subject): Promise<boolean>
  rewrap(): Promise<{ readonly rewrapped: number; readonly kept: number }>
}

type Parts = { readonly files: DurableFiles; readonly secretBox: SecretBox }

const contextOf = (path: string): string => `audit subject ${path}`
const boundTo = (reference: string, place: string): Buffer =>
  Buffer.from(`gatewright audit\0${reference}\0${place}`)

function encode({ reference, key }: SubjectKey): string {
  return `${reference}.${key.toString('base64url')}`
}

function decode(text: string): SubjectKey {
  const [reference = '', key = ''] = text.split('.')
  return { reference, key: Buffer.from(key, 'base64url') }
}

function encrypt({ reference, key }: SubjectKey, plaintext: string, place: string): SealedFields {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(boundTo(reference, place))
  const body = [nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]
  return { subject: reference, sealed: Buffer.concat(body).toString('base64url') }
}

class StoredSubjectKeys implements SubjectKeys {
  readonly #parts: Parts
  readonly #nameKey: Buffer
  readonly #kept = new Map<string, SubjectKey>()
  /** One after the other: two events of a new subject must not make two keys, and none survives its erasure. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: Parts, nameKey: Buffer) {
    this.#parts = parts
    this.#nameKey = nameKey
  }

  #pathOf({ kind, organizationId, id }: Subject): string {
    const text = JSON.stringify([kind, organizationId, id])
    const name = createHmac('sha256', this.#nameKey).update(text).digest('hex')
    return `${directory}/${name.slice(0, 2)}/${name.slice(2)}`
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  async seal(subject: Subject, plaintext: string, place: string): Promise<SealedFields> {
    const path = this.#pathOf(subject)
    const kept = this.#kept.get(path)
    if (kept !== undefined) return encrypt(kept, plaintext, place)
    // Within the turn: an erasure that follows clears the key.
    return this.#inTurn(async () => encrypt(await this.#keyAt(path), plaintext, place))
  }

  async #keyAt(path: string): Promise<SubjectKey> {
    const kept = this.#kept.get(path)
    if (kept !== undefined) return kept
    const { files, secretBox } = this.#parts
    const sealed = await files.read(path)
    const found =
      sealed === null
        ? { reference: randomBytes(16).toString('base64url'), key: randomBytes(32) }
        : decode((await secretBox.open(sealed.toString('utf8'), contextOf(path))).toString('utf8'))
    if (sealed === null) {
      await files.write([{ path, bytes: Buffer.from(await secretBox.seal(encode(found), contextOf(path))) }])
    }
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= maxKept && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(path, found)
    return found
  }

  erase(subject: Subject): Promise<boolean> {
    const path = this.#pathOf(subject)
    return this.#inTurn(async () => {
      this.#kept.get(path)?.key.fill(0)
      this.#kept.delete(path)
      const { files } = this.#parts
      if ((await files.read(path)) === null) return false
      await files.remove(path)
      return true
    })
  }

  rewrap(): Promise<{ readonly rewrapped: number; readonly kept: number }> {
    return this.#inTurn(async () => {
      const { files } = this.#parts
      const counts = { rewrapped: 0, kept: 0 }
      const sealedFor = new Map([[nameKeyFile, nameKeyContext]])
      for (const path of await files.list(directory)) sealedFor.set(path, contextOf(path))
      for (const [path, context] of sealedFor) {
        counts[(await rewrapSealedFile(path, context, this.#parts)) ? 'rewrapped' : 'kept'] += 1
      }
      return counts
    })
  }
}

/** @throws Fault where the names' key stands under a root key that is not here */
export async function openSubjectKeys(parts: Parts): Promise<SubjectKeys> {
  const { files, secretBox } = parts
  const sealed = await files.read(nameKeyFile)
  if (sealed !== null)
    return new StoredSubjectKeys(parts, await secretBox.open(sealed.toString('utf8'), nameKeyContext))
  const nameKey = randomBytes(32)
  await files.write([
    { path: nameKeyFile, bytes: Buffer.from(await secretBox.seal(nameKey, nameKeyContext)) },
  ])
  return new StoredSubjectKeys(parts, nameKey)
}

export type ReadSealedFields = (fields: SealedFields, place: string) => string | null

/** Opens what entries hold, for whoever holds keys and root key; what was erased, or sealed elsewhere, gives null. */
export async function readSubjectKeys({
  files,
  secretBox,
}: {
  readonly files: Pick<DurableFiles, 'read' | 'list'>
  readonly secretBox: Pick<SecretBox, 'open'>
}): Promise<ReadSealedFields> {
  const keys = new Map<string, Buffer>()
  for (const path of await files.list(directory)) {
    const sealed = await files.read(path)
    if (sealed === null) continue
    const { reference, key } = decode(
      (await secretBox.open(sealed.toString('utf8'), contextOf(path))).toString('utf8'),
    )
    keys.set(reference, key)
  }
  return ({ subject, sealed }, place) => {
    const key = keys.get(subject)
    const bytes = Buffer.from(sealed, 'base64url')
    if (key === undefined || bytes.length < nonceBytes + tagBytes) return null
    const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    })
    decipher.setAAD(boundTo(subject, place)).setAuthTag(bytes.subarray(bytes.length - tagBytes))
    try {
      const body = decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes))
      return Buffer.concat([body, decipher.final()]).toString('utf8')
    } catch {
      return null
    }
  }
}
