/**
 * Policies as closures, found by action, then by the principal or resource that their heads name, so that a
 * decision looks at those alone that could hold. All that hold are named: a decision is never half explained.
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import {
  type AccessRequest,
  compileExpression,
  type Evaluate,
  fail,
  isEvaluationError,
  isWithin,
  readUid,
  UnsupportedPolicy,
} from './compile-expression.ts'
import type { Entity, EntityUid } from './values.ts'

export interface AccessDecision {
  readonly isAllowed: boolean
  /** The policies that determined it: all forbids that hold, or else all permits. None: nothing permits it. */
  readonly policies: readonly string[]
  /** Policies that could not be evaluated; they decide nothing. */
  readonly errors: readonly string[]
}

export interface NamedPolicy {
  readonly name: string
  readonly json: PolicyJson
}

/** Decides on requests; compiled, or the Cedar engine itself. */
export type Decide = (request: AccessRequest) => AccessDecision

type Test = (entity: Entity) => boolean

interface Scope {
  readonly test: Test | null
  /** The entity that it must be or be in; null: the head names none. */
  readonly anchor: EntityUid | null
}

interface CompiledPolicy {
  readonly name: string
  readonly isForbid: boolean
  readonly principal: Test | null
  readonly resource: Test | null
  readonly conditions: readonly { readonly body: Evaluate; readonly mustBe: boolean }[]
}

interface Bucket {
  readonly byPrincipal: Map<string, CompiledPolicy[]>
  readonly byResource: Map<string, CompiledPolicy[]>
  readonly rest: CompiledPolicy[]
}

function compileScope(constraint: PolicyJson['principal'] | PolicyJson['resource']): Scope {
  if (constraint.op === 'All') return { test: null, anchor: null }
  if (constraint.op === 'is') {
    const type = constraint.entity_type
    const place = constraint.in
    if (place === undefined) return { test: ({ uid }) => uid.type === type, anchor: null }
    if (!('entity' in place)) throw new UnsupportedPolicy('template')
    const anchor = readUid(place.entity)
    return { test: (entity) => entity.uid.type === type && isWithin(entity, entity.uid, anchor), anchor }
  }
  if (!('entity' in constraint)) throw new UnsupportedPolicy('template')
  const anchor = readUid(constraint.entity)
  if (constraint.op === '==') return { test: ({ uid }) => uid.key === anchor.key, anchor }
  return { test: (entity) => isWithin(entity, entity.uid, anchor), anchor }
}

function appliesTo(constraint: PolicyJson['action'], action: Entity): boolean {
  switch (constraint.op) {
    case 'All':
      return true
    case '==':
      if (!('entity' in constraint)) throw new UnsupportedPolicy('template')
      return readUid(constraint.entity).key === action.uid.key
    case 'in': {
      const places = 'entities' in constraint ? constraint.entities : [constraint.entity]
      return places.some((place) => isWithin(action, action.uid, readUid(place)))
    }
  }
}

/**
 * Compile policies for the actions that there are.
 * @throws UnsupportedPolicy when one of them must be left to the engine
 */
export function compilePolicies(policies: readonly NamedPolicy[], actions: readonly Entity[]): Decide {
  const buckets = new Map<string, Bucket>()
  for (const action of actions) {
    buckets.set(action.uid.key, { byPrincipal: new Map(), byResource: new Map(), rest: [] })
  }
  for (const { name, json } of policies) {
    const principal = compileScope(json.principal)
    const resource = compileScope(json.resource)
    const policy: CompiledPolicy = {
      name,
      isForbid: json.effect === 'forbid',
      principal: principal.test,
      resource: resource.test,
      conditions: json.conditions.map(({ kind, body }) => ({
        body: compileExpression(body),
        mustBe: kind === 'when',
      })),
    }
    for (const action of actions) {
      const bucket = buckets.get(action.uid.key)
      if (bucket === undefined || !appliesTo(json.action, action)) continue
      if (principal.anchor !== null) addTo(bucket.byPrincipal, principal.anchor.key, policy)
      else if (resource.anchor !== null) addTo(bucket.byResource, resource.anchor.key, policy)
      else bucket.rest.push(policy)
    }
  }
  return (request) => {
    const bucket = buckets.get(request.action.uid.key)
    return bucket === undefined ? nothingPermits : decide(bucket, request)
  }
}

const nothingPermits: AccessDecision = Object.freeze({ isAllowed: false, policies: [], errors: [] })

function addTo(map: Map<string, CompiledPolicy[]>, key: string, policy: CompiledPolicy): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [policy])
  else known.push(policy)
}

interface Tally {
  readonly permits: string[]
  readonly forbids: string[]
  readonly errors: string[]
}

function decide({ byPrincipal, byResource, rest }: Bucket, request: AccessRequest): AccessDecision {
  const tally: Tally = { permits: [], forbids: [], errors: [] }
  const { principal, resource } = request
  judge(rest, request, tally)
  if (byPrincipal.size > 0) {
    judge(byPrincipal.get(principal.uid.key), request, tally)
    for (const { key } of principal.ancestors) judge(byPrincipal.get(key), request, tally)
  }
  if (byResource.size > 0) {
    judge(byResource.get(resource.uid.key), request, tally)
    for (const { key } of resource.ancestors) judge(byResource.get(key), request, tally)
  }
  const { permits, forbids, errors } = tally
  if (forbids.length > 0) return { isAllowed: false, policies: forbids, errors }
  return { isAllowed: permits.length > 0, policies: permits, errors }
}

function judge(
  policies: readonly CompiledPolicy[] | undefined,
  request: AccessRequest,
  { permits, forbids, errors }: Tally,
): void {
  if (policies === undefined) return
  for (const policy of policies) {
    try {
      if (holds(policy, request)) (policy.isForbid ? forbids : permits).push(policy.name)
    } catch (error) {
      if (!isEvaluationError(error)) throw error
      errors.push(policy.name)
    }
  }
}

function holds({ principal, resource, conditions }: CompiledPolicy, request: AccessRequest): boolean {
  if (principal !== null && !principal(request.principal)) return false
  if (resource !== null && !resource(request.resource)) return false
  for (const { body, mustBe } of conditions) {
    const value = body(request)
    if (typeof value !== 'boolean') return fail()
    if (value !== mustBe) return false
  }
  return true
}
