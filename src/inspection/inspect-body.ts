/**
 * A JSON body under the guards of its exchange. What is masked is written back where it stood: every other byte stays
 * as it was, and a body in which nothing is masked is the same bytes. A generator: it gives way between pieces.
 */
import type { GuardFinding, GuardPlace } from '../domain/guards.ts'
import { type BodyText, bodyTexts, pathOf } from './body-texts.ts'
import type { GuardSet, PlaceGuards } from './guard-set.ts'
import { applyMasks, judgeText, mostFindings, type Verdict } from './judge-text.ts'
import type { VerdictCache } from './verdict-cache.ts'

export interface InspectedBody {
  readonly findings: readonly GuardFinding[]
  /** The guard that blocks; null: none does. */
  readonly blockedBy: string | null
  /** With masks; the same object where there are none. */
  readonly body: Buffer
}

export interface BodyTerms {
  readonly guards: GuardSet
  /** What a text is that nothing says more about. */
  readonly other: GuardPlace
  readonly organizationId: string
  readonly cache: VerdictCache
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly json: string
}

/** Beyond it, where a text stands in the body is not reckoned. */
const longestWithPaths = 1_048_576

export function* inspectBody(body: Buffer, terms: BodyTerms): Generator<void, InspectedBody> {
  const findings: GuardFinding[] = []
  const edits: Edit[] = []
  let blockedBy: string | null = null
  for (const text of yield* bodyTexts(body, terms.other)) {
    const guards = terms.guards.places.get(text.place)
    if (guards === undefined) continue
    const value = stringAt(body, text)
    const verdict = yield* judgeOnce(value, guards, terms)
    for (const finding of verdict.findings) {
      if (findings.length >= mostFindings) break
      const at = body.length > longestWithPaths ? '' : pathOf(body, text.start)
      findings.push({ ...finding, at })
    }
    blockedBy ??= verdict.blockedBy
    if (verdict.masks.length > 0)
      edits.push({ ...text, json: JSON.stringify(applyMasks(value, verdict.masks)) })
    yield
  }
  return { findings, blockedBy, body: edits.length === 0 ? body : edited(body, edits) }
}

/** What was judged before under the same guards is not judged again. */
function* judgeOnce(
  text: string,
  guards: PlaceGuards,
  { cache, organizationId, guards: { id: guardSetId } }: BodyTerms,
): Generator<void, Verdict> {
  const name = cache.nameOf(text, { organizationId, guardSetId, place: guards.place })
  const known = name === null ? null : cache.find(organizationId, name)
  if (known !== null) return known
  const verdict = yield* judgeText(text, guards)
  if (name !== null) cache.keep(organizationId, name, verdict)
  return verdict
}

function stringAt(body: Buffer, { start, end }: BodyText): string {
  const raw = body.toString('utf8', start + 1, end - 1)
  if (!raw.includes('\\')) return raw
  return String(JSON.parse(`"${raw}"`))
}

function edited(body: Buffer, edits: readonly Edit[]): Buffer {
  const pieces: Uint8Array[] = []
  let from = 0
  for (const { start, end, json } of edits) {
    pieces.push(body.subarray(from, start), Buffer.from(json))
    from = end
  }
  pieces.push(body.subarray(from))
  return Buffer.concat(pieces)
}
