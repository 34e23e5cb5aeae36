/** What an event is in the words of ECS: `event.kind`, `event.category` and the types that ECS expects of the category. */
import type { OversightEvent } from '../domain/oversight-event.ts'
import { concernOf, type EventConcern, verbOf } from './event-concern.ts'

export interface EcsClass {
  readonly kind: 'event' | 'alert' | 'metric'
  readonly category: readonly string[]
  readonly type: readonly string[]
}

const categories: Readonly<Record<EventConcern, string>> = Object.freeze({
  call: 'api',
  connection: 'network',
  'sign-in': 'authentication',
  threat: 'intrusion_detection',
  data: 'intrusion_detection',
  account: 'iam',
  configuration: 'configuration',
})

const verbTypes = Object.freeze({ create: 'creation', update: 'change', delete: 'deletion', other: 'change' })

export function ecsClassOf(event: OversightEvent): EcsClass {
  const concern = concernOf(event)
  return { kind: kindOf(event), category: [categories[concern]], type: [typeOf(event, concern)] }
}

function kindOf({ stream, severity }: OversightEvent): EcsClass['kind'] {
  if (stream === 'usage') return 'metric'
  const isAlert = stream === 'security' && severity !== 'info' && severity !== 'low'
  return isAlert ? 'alert' : 'event'
}

function typeOf(event: OversightEvent, concern: EventConcern): string {
  if (concern === 'account' || concern === 'configuration') {
    const verb = verbOf(event.action)
    if (verb === 'read') return concern === 'account' ? 'info' : 'access'
    return verbTypes[verb]
  }
  if (concern === 'sign-in' || event.stream === 'usage') return 'info'
  if (event.outcome === 'failure' && isRefusal(event)) return 'denied'
  return concern === 'call' ? 'access' : 'info'
}

function isRefusal(event: OversightEvent): boolean {
  return event.action.endsWith('.refused') || event.action.endsWith('.refuse')
}
