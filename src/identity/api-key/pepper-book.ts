/**
 * Peppers live sealed among the settings, by version. New secrets are hashed under the newest; older versions
 * stay as long as secrets that still open something stand under them, and go with the next rotation afterwards.
 * Any node may rotate: each looks again before it publishes (`refresh`). Bound: `maxPeppers` versions.
 */
import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { AdminToken } from '../../domain/entities.ts'
import { isJsonObject, type JsonValue } from '../../domain/json.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { SecretBox } from '../../ports/secret-box.ts'
import type { Page, Store, StoredKey } from '../../ports/store.ts'
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

/** Versions after a rotation. */
export interface PepperRotation {
  /** Under which secrets are hashed from now on. */
  readonly current: number
  /** Under which secrets still stand. */
  readonly kept: readonly number[]
  /** Under which nothing stood any more. */
  readonly dropped: readonly number[]
}

export interface RewrapCount {
  readonly rewrapped: number
  /** Stood under the current root key already. */
  readonly kept: number
}

export interface PepperBook {
  /** In force on this node. */
  readonly opened: OpenedPeppers
  /** Take what another node has made. @throws what the box and the store throw; the ones in force stay then */
  refresh(): Promise<void>
  /**
   * Add a version, under which secrets are hashed from now on, and drop those that nothing stands under. `now`: Unix
   * milliseconds. @throws Fault `admin.stale-update` when somebody else does it too, `admin.pepper-limit`
   */
  rotate(now: number): Promise<PepperRotation>
  /** Wrap those that stand under an older root key anew. */
  rewrap(): Promise<RewrapCount>
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

const writeSetting = (peppers: readonly SealedPepper[]): JsonValue =>
  peppers.map(({ version, sealed }) => ({ version, sealed }))

const versionsOf = (peppers: readonly SealedPepper[]): number[] => peppers.map(({ version }) => version)

async function sealNew(version: number, box: SecretBox): Promise<SealedPepper> {
  return { version, sealed: await box.seal(randomBytes(pepperBytes), contextOf(version)) }
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

const isLive = (expiresAt: number | null, now: number): boolean => expiresAt === null || expiresAt > now

function addVersionsOfKey(used: Set<number>, { key, secrets }: StoredKey, now: number): void {
  if (key.state === 'revoked' || !isLive(key.expiresAt, now)) return
  for (const secret of secrets) if (isLive(secret.expiresAt, now)) used.add(secret.pepperVersion)
}

/** Versions that a live key or admin token stands under. Memory: one page of each. */
async function findUsedVersions(store: Store, now: number): Promise<ReadonlySet<number>> {
  const used = new Set<number>()
  let keysVersion = 0
  let more = true
  while (more) {
    const changes = await store.keysSince(keysVersion)
    for (const stored of changes.upsert) addVersionsOfKey(used, stored, now)
    keysVersion = changes.version
    more = changes.more
  }
  let after: string | undefined
  do {
    const page: Page<AdminToken> = await store.adminTokens.list(null, after === undefined ? {} : { after })
    for (const { revokedAt, expiresAt, pepperVersion } of page.items) {
      if (revokedAt === null && isLive(expiresAt, now)) used.add(pepperVersion)
    }
    after = page.next ?? undefined
  } while (after !== undefined)
  return used
}

class StoredPepperBook implements PepperBook {
  readonly #store: Store
  readonly #box: SecretBox
  #sealed: readonly SealedPepper[] = []
  #opened: OpenedPeppers = { current: 0, encoded: {}, compiled: new Map() }

  constructor(store: Store, box: SecretBox) {
    this.#store = store
    this.#box = box
  }

  get opened(): OpenedPeppers {
    return this.#opened
  }

  /** Open all; the first call on a new store makes the first one. */
  async open(): Promise<void> {
    const first = await sealNew(1, this.#box)
    const sealed = await this.#store.transaction(async ({ settings }) => {
      const stored = await settings.get(settingName)
      if (stored !== null) return readSetting(stored)
      await settings.set(settingName, writeSetting([first]))
      return [first]
    })
    await this.#take(sealed)
  }

  async refresh(): Promise<void> {
    await this.#take(readSetting((await this.#store.settings.get(settingName)) ?? []))
  }

  async rotate(now: number): Promise<PepperRotation> {
    await this.refresh()
    const before = this.#sealed
    const newest = this.#opened.current
    const used = await findUsedVersions(this.#store, now)
    // Another node may hash under the newest for a moment yet, so that one stays whatever stands under it.
    const kept = before.filter(({ version }) => version === newest || used.has(version))
    if (kept.length >= maxPeppers) throw new Fault(faults.pepperLimit, { public: { limit: maxPeppers } })
    const after = [...kept, await sealNew(newest + 1, this.#box)]
    await this.#store.transaction(async ({ settings }) => {
      const stored = readSetting((await settings.get(settingName)) ?? [])
      if (!isDeepStrictEqual(stored, before))
        throw new Fault(faults.staleUpdate, { public: { noun: 'pepper' } })
      await settings.publish(settingName, writeSetting(after))
    })
    await this.#take(after)
    const keptVersions = versionsOf(kept)
    const dropped = versionsOf(before).filter((version) => !keptVersions.includes(version))
    return { current: newest + 1, kept: keptVersions, dropped }
  }

  async rewrap(): Promise<RewrapCount> {
    let rewrapped = 0
    const sealed = await this.#store.transaction(async ({ settings }) => {
      const after: SealedPepper[] = []
      for (const pepper of readSetting((await settings.get(settingName)) ?? [])) {
        const isOld = this.#box.needsRewrap(pepper.sealed)
        if (isOld) rewrapped += 1
        const text = isOld ? await this.#box.rewrap(pepper.sealed, contextOf(pepper.version)) : pepper.sealed
        after.push({ version: pepper.version, sealed: text })
      }
      if (rewrapped > 0) await settings.set(settingName, writeSetting(after))
      return after
    })
    await this.#take(sealed)
    return { rewrapped, kept: sealed.length - rewrapped }
  }

  async #take(sealed: readonly SealedPepper[]): Promise<void> {
    if (isDeepStrictEqual(sealed, this.#sealed)) return
    this.#opened = await openAll(sealed, this.#box)
    this.#sealed = sealed
  }
}

/** Opens all peppers; the first call on a new store makes the first one. Throws what the box and the store throw. */
export async function openPepperBook(store: Store, box: SecretBox): Promise<PepperBook> {
  const book = new StoredPepperBook(store, box)
  await book.open()
  return book
}

/** True where some exist: only the root key that sealed them is of use to this store. */
export async function hasPeppers(store: Store): Promise<boolean> {
  return (await store.settings.get(settingName)) !== null
}
