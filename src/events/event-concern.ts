/** What an event is about, from its stream, the first word of its action and the kind of its resource. */
import type { OversightEvent } from '../domain/oversight-event.ts'

export type EventConcern = 'call' | 'connection' | 'sign-in' | 'threat' | 'data' | 'account' | 'configuration'

const areas: ReadonlyMap<string, EventConcern> = new Map<string, EventConcern>([
  ['auth', 'sign-in'],
  ['sign-in', 'sign-in'],
  ['sign-out', 'sign-in'],
  ['connection', 'connection'],
  ['access', 'call'],
  ['limits', 'call'],
  ['privacy', 'data'],
  ['data', 'data'],
])

/** Kinds of resources that stand for somebody who can prove who they are. */
const accounts: ReadonlySet<string> = new Set(['api-key', 'key', 'admin-token', 'administrator', 'user'])

export function concernOf({ stream, action, resource }: OversightEvent): EventConcern {
  if (stream === 'access' || stream === 'usage') return 'call'
  const area = areas.get(action.split('.', 1)[0] ?? '')
  if (stream === 'security') return area ?? 'threat'
  if (area === 'sign-in') return 'sign-in'
  return resource !== null && accounts.has(resource.kind) ? 'account' : 'configuration'
}

export type EventVerb = 'create' | 'read' | 'update' | 'delete' | 'other'

const verbs: ReadonlyMap<string, EventVerb> = new Map<string, EventVerb>([
  ['create', 'create'],
  ['created', 'create'],
  ['add', 'create'],
  ['get', 'read'],
  ['list', 'read'],
  ['read', 'read'],
  ['reveal', 'read'],
  ['export', 'read'],
  ['update', 'update'],
  ['updated', 'update'],
  ['set', 'update'],
  ['put', 'update'],
  ['apply', 'update'],
  ['delete', 'delete'],
  ['deleted', 'delete'],
  ['remove', 'delete'],
  ['revoke', 'delete'],
])

/** What was done, from the last word of an action: `key.rotate`, `api-key-create`. */
export function verbOf(action: string): EventVerb {
  const words = action.split(/[.-]/)
  return verbs.get(words[words.length - 1] ?? '') ?? 'other'
}
