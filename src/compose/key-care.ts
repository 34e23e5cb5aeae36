/**
 * Looks after keys by the policies of their organizations and applications: tells owners of rotations that are due or
 * overdue and of keys that do not keep the policy, and puts keys that nobody uses into quarantine.
 *
 * Every node looks once an hour; what is to be told is taken by one of them (`takeNotice`), and told once for each
 * secret. A change of a key is a sign of life: a key that was released is not held again for what it was held for.
 * Without any policy no key is read. Memory: one page of keys.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiKey } from '../domain/entities.ts'
import type { KeyNotice } from '../domain/key-notice.ts'
import type { KeyPolicy } from '../domain/key-policy.ts'
import { faults } from '../faults/catalogue.ts'
import { dayMs, findBreach, rotatedAtOf, rotationStanding, strictestPolicy } from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { Page, Store, StoredKey } from '../ports/store.ts'

export interface KeyCareParts {
  readonly store: Pick<Store, 'organizations' | 'applications' | 'keys' | 'keysSince'>
  readonly now: () => number
  readonly tell: (notice: KeyNotice) => Promise<void>
}

const hourMs = 3_600_000
/** Before the first look: uses that came in before a restart are counted by then. */
const firstMs = 300_000

export interface KeyCare {
  /** One look at all keys. */
  look(): Promise<void>
  close(): Promise<void>
}

export function openKeyCare(parts: KeyCareParts): KeyCare {
  const ending = new AbortController()
  const { signal } = ending

  async function watch(): Promise<void> {
    for (let waitMs = firstMs; !signal.aborted; waitMs = hourMs) {
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {})
      // A store that does not answer now is asked again in an hour.
      if (!signal.aborted) await look().catch(() => {})
    }
  }

  async function look(): Promise<void> {
    const policies = await readPolicies(parts)
    if (policies.size === 0) return
    let version = 0
    let more = true
    while (more && !signal.aborted) {
      const page = await parts.store.keysSince(version)
      for (const stored of page.upsert) {
        const policy = policies.get(stored.key.applicationId)
        if (policy !== undefined && stored.key.state === 'active') await careFor(stored, policy, parts)
      }
      version = page.version
      more = page.more
    }
  }

  const watching = watch()
  return {
    look,
    async close() {
      ending.abort()
      await watching
    },
  }
}

/** Application → policy, where there is one. */
async function readPolicies({ store }: KeyCareParts): Promise<ReadonlyMap<string, KeyPolicy>> {
  const policies = new Map<string, KeyPolicy>()
  for (const organization of await readAll((after) => store.organizations.list(after))) {
    for (const { id, keyPolicy } of await readAll((after) =>
      store.applications.list(organization.id, after),
    )) {
      const policy = strictestPolicy(organization.keyPolicy, keyPolicy)
      if (Object.keys(policy).length > 0) policies.set(id, policy)
    }
  }
  return policies
}

async function readAll<T>(
  read: (query: { readonly limit: number; readonly after?: string }) => Promise<Page<T>>,
): Promise<readonly T[]> {
  const all: T[] = []
  let after: string | null = null
  do {
    const page: Page<T> = await read({ limit: 500, ...(after === null ? {} : { after }) })
    all.push(...page.items)
    after = page.next
  } while (after !== null)
  return all
}

async function careFor({ key, secrets }: StoredKey, policy: KeyPolicy, parts: KeyCareParts): Promise<void> {
  const now = parts.now()
  if (key.expiresAt !== null && key.expiresAt <= now) return
  const { unusedDays } = policy
  const seenAt = Math.max(key.lastUsedAt ?? 0, key.updatedAt)
  if (unusedDays !== undefined && seenAt + unusedDays * dayMs <= now)
    return holdIdle(key, { unusedDays, seenAt }, parts)
  const rotatedAt = rotatedAtOf(secrets)
  const standing = rotationStanding(rotatedAt, policy, now)
  const breach = findBreach({ ...key, rotatedAt }, policy)
  if (standing === 'none' && breach === null) return
  const version = secrets.reduce((newest, secret) => Math.max(newest, secret.version), 0)
  if (!(await parts.store.keys.takeNotice(key.keyId, `${standing} ${version} ${breach?.field ?? ''}`))) return
  const { rotateEveryDays = 0 } = policy
  const rotateBy = rotatedAt + rotateEveryDays * dayMs
  if (standing !== 'none')
    await parts.tell(noticeOf(key, `key.rotation-${standing}`, { now, rotatedAt, rotateBy }))
  if (breach !== null) await parts.tell(noticeOf(key, 'key.policy-breach', { now, ...breach }))
}

async function holdIdle(
  key: ApiKey,
  details: { readonly unusedDays: number; readonly seenAt: number },
  { store, now: clock, tell }: KeyCareParts,
): Promise<void> {
  const now = clock()
  const patch = { state: 'quarantined' as const, quarantine: { at: now, reason: 'unused' as const } }
  const change = { patch, now, expectedUpdatedAt: key.updatedAt }
  try {
    await store.keys.update(key.organizationId, key.id, change)
  } catch (error) {
    // Another node was first, or somebody changed it.
    if (error instanceof Fault && error.code === faults.staleUpdate.code) return
    throw error
  }
  await tell(noticeOf(key, 'key.idle-quarantine', { now, ...details }))
}

function noticeOf(
  { id, keyId: publicId, organizationId, applicationId }: ApiKey,
  action: KeyNotice['action'],
  { now: at, ...details }: Readonly<Record<string, string | number>> & { readonly now: number },
): KeyNotice {
  return { action, subject: { kind: 'key', id, publicId, organizationId, applicationId }, at, details }
}
