/**
 * An entry of the log: canonical JSON of an allow-list of fields. What has no line here cannot get in. The personal ones
 * come encrypted by subject.
 */
import { createHash } from 'node:crypto'
import type { Subject } from '../domain/audit-subject.ts'
import type { EventActor, ExchangeFacts, OversightEvent } from '../domain/oversight-event.ts'
import { type CanonicalValue, canonicalJson, toCanonicalValue } from './canonical-json.ts'
import { maxEntryBytes } from './entry-bundle.ts'
import type { SealedFields } from './subject-keys.ts'

/** What an audit entry says beyond its event. */
export interface AuditDetails {
  /** `intent`: before something is done; its result follows in an entry of its own. */
  readonly phase?: 'intent' | 'result'
  /** Names of the fields that a request gave; never their values. */
  readonly fields?: readonly string[]
  /** How many of the same this entry stands for, beside itself. */
  readonly repeats?: number
  /** When the last of them was, Unix milliseconds. */
  readonly until?: number
  /** The object before and after a change: views for readers, in which no secret is. */
  readonly before?: unknown
  readonly after?: unknown
  /** Fields of the images that are about a person. */
  readonly personal?: { readonly subject: Subject; readonly fields: Readonly<Record<string, unknown>> }
}

/** Room for the images; the rest of an entry is far smaller than what is left. */
const maxImageBytes = 24_000
const maxTextLength = 256

const text = (value: string): string => value.slice(0, maxTextLength).toWellFormed()

/** Of whom the personal fields of an actor are; null: they are empty. */
export function subjectOf({ actor, organizationId }: OversightEvent): Subject | null {
  const { kind, id, endUser, address } = actor
  if (endUser !== '') return { kind: 'end-user', organizationId, id: endUser }
  if (address === '') return null
  if ((kind === 'admin' || kind === 'key') && id !== '') return { kind, organizationId: '', id }
  return { kind: 'address', organizationId: '', id: address }
}

/** Plain text of what is encrypted of an actor. */
export function personalText({ address, endUser }: EventActor): string {
  return canonicalJson({ address: text(address), endUser: text(endUser) })
}

function exchangeFields(exchange: ExchangeFacts): CanonicalValue {
  const { requestId, traceId, operation, model, providerId, deploymentId, status } = exchange
  return {
    requestId: text(requestId),
    traceId: text(traceId),
    operation: text(operation),
    model: text(model),
    providerId: text(providerId),
    deploymentId: text(deploymentId),
    status,
  }
}

/** The image, or where it is too long what identifies it. */
function imageFields(image: unknown): CanonicalValue {
  const value = toCanonicalValue(image)
  const json = canonicalJson(value)
  const bytes = Buffer.byteLength(json)
  if (bytes <= maxImageBytes) return value
  return { bytes, sha256: createHash('sha256').update(json).digest('hex') }
}

export function encodeEntry(
  event: OversightEvent,
  details: AuditDetails,
  personal: readonly SealedFields[],
): Buffer {
  const { actor, resource, exchange } = event
  const { phase, fields, repeats, until, before, after } = details
  const entry = {
    v: 1,
    id: text(event.id),
    time: event.time,
    stream: event.stream,
    action: text(event.action),
    outcome: event.outcome,
    severity: event.severity,
    reason: text(event.reason),
    organization: text(event.organizationId),
    actor: { kind: actor.kind, id: text(actor.id), application: text(actor.applicationId) },
    resource: resource === null ? null : { kind: text(resource.kind), id: text(resource.id) },
    ...(exchange === null ? {} : { exchange: exchangeFields(exchange) }),
    ...(phase === undefined ? {} : { phase }),
    ...(fields === undefined ? {} : { fields: fields.slice(0, 64).map(text) }),
    ...(repeats === undefined ? {} : { repeats }),
    ...(until === undefined ? {} : { until }),
    ...(before === undefined ? {} : { before: imageFields(before) }),
    ...(after === undefined ? {} : { after: imageFields(after) }),
    ...(personal.length === 0
      ? {}
      : { personal: personal.map(({ subject, sealed }) => ({ subject, sealed })) }),
  }
  const bytes = Buffer.from(canonicalJson(entry))
  if (bytes.length > maxEntryBytes) throw new RangeError('the entry is too long')
  return bytes
}

/** What `prove` looks for; null where the bytes are no entry of ours. */
export function entryId(entry: Uint8Array): string | null {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(entry).toString('utf8'))
    const id: unknown = typeof parsed === 'object' && parsed !== null && 'id' in parsed ? parsed.id : null
    return typeof id === 'string' ? id : null
  } catch {
    return null
  }
}
