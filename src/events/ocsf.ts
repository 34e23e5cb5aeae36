/**
 * An event in the Open Cybersecurity Schema Framework, version 1.5.0, without profiles: API Activity (6003),
 * Authentication (3002), Account Change (3001), Detection Finding (2004), Data Security Finding (2006). What OCSF has no
 * attribute for is in `unmapped`.
 */
import type { OversightEvent } from '../domain/oversight-event.ts'
import { callerText, plainText } from '../domain/plain-text.ts'
import { concernOf, type EventConcern, verbOf } from './event-concern.ts'
import { factsOf, messageOf, product } from './event-facts.ts'

export const ocsfVersion = '1.5.0'

type OcsfObject = Readonly<Record<string, unknown>>

interface OcsfClass {
  readonly class: number
  readonly category: number
  readonly activityOf: (event: OversightEvent) => number
  readonly attributesOf: (event: OversightEvent) => OcsfObject
}

const other = 99
const crud = Object.freeze({ create: 1, read: 2, update: 3, delete: 4, other })
const accountWords: ReadonlyMap<string, number> = new Map([
  ['create', 1],
  ['enable', 2],
  ['disable', 5],
  ['delete', 6],
  ['revoke', 6],
])

const apiActivity: OcsfClass = {
  class: 6003,
  category: 6,
  activityOf: ({ action, exchange }) => (exchange === null ? crud[verbOf(action)] : other),
  attributesOf: (event) => ({ ...status(event), ...apiAttributes(event) }),
}
const authentication: OcsfClass = {
  class: 3002,
  category: 3,
  activityOf: ({ action }) => (action.startsWith('sign-out') ? 2 : 1),
  attributesOf: (event) => ({
    ...status(event),
    user: userOf(event),
    service: { name: product.name },
    is_remote: true,
    src_endpoint: sourceOf(event),
  }),
}
const accountChange: OcsfClass = {
  class: 3001,
  category: 3,
  activityOf: ({ action }) => accountWords.get(action.split(/[.-]/).at(-1) ?? '') ?? other,
  attributesOf: (event) => ({
    ...status(event),
    actor: { user: userOf(event) },
    src_endpoint: sourceOf(event),
    user: {
      uid: plainText(event.resource?.id ?? '') || 'unknown',
      type: plainText(event.resource?.kind ?? ''),
    },
  }),
}
const detectionFinding: OcsfClass = {
  class: 2004,
  category: 2,
  activityOf: () => 1,
  attributesOf: (event) => ({ ...finding(event), resources: resourcesOf(event) }),
}
const dataSecurityFinding: OcsfClass = {
  class: 2006,
  category: 2,
  activityOf: () => 1,
  attributesOf: (event) => ({
    ...finding(event),
    actor: { user: userOf(event) },
    src_endpoint: sourceOf(event),
    resources: resourcesOf(event),
  }),
}

const classes: Readonly<Record<EventConcern, OcsfClass>> = Object.freeze({
  call: apiActivity,
  connection: detectionFinding,
  'sign-in': authentication,
  threat: detectionFinding,
  data: dataSecurityFinding,
  account: accountChange,
  configuration: apiActivity,
})

/** Informational to Critical. */
const severityIds = Object.freeze({ info: 1, low: 2, medium: 3, high: 4, critical: 5 })

export function ocsfDocument(event: OversightEvent): string {
  const row = classes[concernOf(event)]
  const activity = row.activityOf(event)
  return JSON.stringify({
    activity_id: activity,
    ...(activity === other ? { activity_name: plainText(event.action) } : {}),
    category_uid: row.category,
    class_uid: row.class,
    type_uid: row.class * 100 + activity,
    time: event.time,
    severity_id: severityIds[event.severity],
    count: event.count,
    message: messageOf(event),
    metadata: {
      version: ocsfVersion,
      uid: plainText(event.id),
      log_name: event.stream,
      product: { name: product.name, vendor_name: product.vendor, version: product.version },
      correlation_uid: event.exchange === null ? undefined : plainText(event.exchange.traceId) || undefined,
    },
    ...row.attributesOf(event),
    unmapped: Object.fromEntries(factsOf(event)),
  })
}

function status({ outcome, reason, exchange }: OversightEvent): OcsfObject {
  return {
    status_id: { success: 1, failure: 2, unknown: 0 }[outcome],
    status_code: plainText(reason) || undefined,
    duration: exchange === null ? undefined : Math.round(exchange.durationMs),
  }
}

function finding(event: OversightEvent): OcsfObject {
  return {
    status_id: 1,
    finding_info: {
      uid: plainText(event.id),
      title: messageOf(event),
      types: [plainText(event.action)],
      created_time: event.time,
    },
  }
}

function apiAttributes(event: OversightEvent): OcsfObject {
  const { exchange, action } = event
  const operation = plainText(exchange === null ? action : exchange.operation)
  return {
    actor: { user: userOf(event), app_uid: plainText(event.actor.applicationId) || undefined },
    api: {
      operation: operation || 'unknown',
      service: { name: product.name },
      request: exchange === null ? undefined : { uid: plainText(exchange.requestId) || 'unknown' },
    },
    src_endpoint: sourceOf(event),
    http_response: exchange === null ? undefined : { code: exchange.status, length: exchange.responseBytes },
    resources: resourcesOf(event),
  }
}

function userOf({ actor, organizationId }: OversightEvent): OcsfObject {
  return {
    uid: plainText(actor.id) || 'unknown',
    name: callerText(actor.endUser) || undefined,
    type: actor.kind,
    org: organizationId === '' ? undefined : { uid: plainText(organizationId) },
  }
}

/** The class demands one; without an address it has a name that says so. */
function sourceOf({ actor }: OversightEvent): OcsfObject {
  return actor.address === '' ? { name: 'unknown' } : { ip: plainText(actor.address) }
}

function resourcesOf({ resource, exchange }: OversightEvent): readonly OcsfObject[] | undefined {
  if (resource !== null) return [{ uid: plainText(resource.id) || 'unknown', type: plainText(resource.kind) }]
  const model = callerText(exchange?.model ?? '')
  return model === '' ? undefined : [{ name: model, type: 'model' }]
}
