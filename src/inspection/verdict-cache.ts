/**
 * Verdicts on texts that were judged before: conversations send their history again with each request. A text is
 * remembered by a keyed hash (HMAC-SHA-256 under a key of this thread alone) together with the guards that judged it,
 * apart for each organization; the text itself is not kept.
 *
 * Bounds: `mostVerdicts` for each of `mostOrganizations`; the longest unused go first.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { GuardPlace } from '../domain/guards.ts'
import type { Verdict } from './judge-text.ts'

const mostVerdicts = 4096
const mostOrganizations = 256
/** Shorter texts are judged in less time than they are looked up. */
const shortestKept = 2048

export interface JudgedUnder {
  readonly organizationId: string
  readonly guardSetId: string
  readonly place: GuardPlace
}

export interface VerdictCache {
  /** The name of a text; null: it is not worth keeping. */
  nameOf(text: string, under: JudgedUnder): string | null
  find(organizationId: string, name: string): Verdict | null
  keep(organizationId: string, name: string, verdict: Verdict): void
}

export function createVerdictCache(): VerdictCache {
  const secret = randomBytes(32)
  const organizations = new Map<string, Map<string, Verdict>>()
  const of = (organizationId: string): Map<string, Verdict> => {
    const known = organizations.get(organizationId) ?? new Map<string, Verdict>()
    touch(organizations, [organizationId, known], mostOrganizations)
    return known
  }
  return {
    nameOf(text, { guardSetId, place }) {
      if (text.length < shortestKept) return null
      return createHmac('sha256', secret).update(`${guardSetId} ${place} `).update(text).digest('base64')
    },
    find(organizationId, name) {
      const verdicts = of(organizationId)
      const verdict = verdicts.get(name) ?? null
      if (verdict !== null) touch(verdicts, [name, verdict], mostVerdicts)
      return verdict
    },
    keep: (organizationId, name, verdict) => touch(of(organizationId), [name, verdict], mostVerdicts),
  }
}

/** The entry becomes the youngest. */
function touch<T>(map: Map<string, T>, [key, value]: readonly [string, T], most: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= most) return
  const oldest = map.keys().next()
  if (oldest.done !== true) map.delete(oldest.value)
}
