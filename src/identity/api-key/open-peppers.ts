/**
 * Peppers live sealed among the settings, by version. New secrets are hashed under the newest; older versions
 * stay as long as secrets stand under them. Bound: `maxPeppers` versions.
 */
import { randomBytes } from 'node:crypto'
import { isJsonObject, type JsonValue } from '../../domain/json.ts'
import type { SecretBox } from '../../ports/secret-box.ts'
import type { Store } from '../../ports/store.ts'
import { compilePeppers, type Peppers } from './secret-hash.ts'

const settingName = 'api-key-peppers'
const pepperBytes = 32
const maxPeppers = 16

export interface OpenedPeppers {
  /** Version for new secrets. */
  readonly current: number
  /** As snapshots carry them: version → base64. Memory only. */
  readonly encoded: Readonly<Record<string, string>>
  readonly compiled: Peppers
}

interface SealedPepper {
  readonly version: number
  readonly sealed: string
}

const contextOf = (version: number) => `pepper:${version}`

function readSetting(value: JsonValue): readonly SealedPepper[] {
  const list = Array.isArray(value) ? (value as readonly JsonValue[]) : []
  return list.map((item) => {
    const { version, sealed } = isJsonObject(item) ? item : {}
    if (typeof version !== 'number' || typeof sealed !== 'string')
      throw new Error('the peppers are malformed')
    return { version, sealed }
  })
}

/** Opens all peppers; the first call on a new store makes the first one. Throws what the box and the store throw. */
export async function openPeppers(store: Store, box: SecretBox): Promise<OpenedPeppers> {
  const first = { version: 1, sealed: await box.seal(randomBytes(pepperBytes), contextOf(1)) }
  const sealed = await store.transaction(async ({ settings }) => {
    const stored = await settings.get(settingName)
    if (stored !== null) return readSetting(stored)
    await settings.set(settingName, [{ ...first }])
    return [first]
  })
  return openAll(sealed, box)
}

/** True where some exist: only the root key that sealed them is of use to this store. */
export async function hasPeppers(store: Store): Promise<boolean> {
  return (await store.settings.get(settingName)) !== null
}

/** Adds a new version, under which secrets are hashed from now on. */
export async function rotatePepper(store: Store, box: SecretBox): Promise<OpenedPeppers> {
  const { current } = await openPeppers(store, box)
  const version = current + 1
  const next = { version, sealed: await box.seal(randomBytes(pepperBytes), contextOf(version)) }
  const sealed = await store.transaction(async ({ settings }) => {
    const before = readSetting((await settings.get(settingName)) ?? [])
    if (before.length >= maxPeppers || before.some((pepper) => pepper.version >= version)) {
      throw new Error('the pepper was rotated at the same time, or too often')
    }
    const after = [...before, next]
    await settings.set(
      settingName,
      after.map(({ version: number, sealed }) => ({ version: number, sealed })),
    )
    return after
  })
  return openAll(sealed, box)
}

async function openAll(sealed: readonly SealedPepper[], box: SecretBox): Promise<OpenedPeppers> {
  const encoded: Record<string, string> = {}
  let current = 0
  for (const pepper of sealed) {
    const opened = await box.open(pepper.sealed, contextOf(pepper.version))
    encoded[String(pepper.version)] = opened.toString('base64')
    current = Math.max(current, pepper.version)
  }
  return { current, encoded, compiled: compilePeppers(encoded) }
}
