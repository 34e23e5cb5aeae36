/**
 * Random policies and requests, decided by the compiled evaluator and by the Cedar engine: decision, determining
 * policies and errors must be the same. Policies are not checked against the schema, so that every error of
 * evaluation comes up as well.
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { engineDecide } from '../cedar-engine.ts'
import type { AccessRequest } from '../compile-expression.ts'
import { type AccessDecision, compilePolicies, type NamedPolicy } from '../compiled-policies.ts'
import { parseIpRange } from '../ip-range.ts'
import { CedarRecord, CedarSet, type CedarValue, type Entity, EntityUid, recordOf } from '../values.ts'

/** mulberry32: the same seed gives the same run. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const none = recordOf({})
const uid = (type: string, id: string): EntityUid => new EntityUid(type, id)
const organization: Entity = { uid: uid('Organization', 'acme'), attributes: none, ancestors: [] }
const teams = ['red', 'blue'].map((id) => entity(uid('Team', id), [organization.uid]))
const applications = ['shop', 'bot', 'lab'].map((id, at) =>
  entity(uid('Application', id), [uid('Team', at === 0 ? 'red' : 'blue'), organization.uid], {
    team: at === 0 ? 'red' : 'blue',
    size: at,
  }),
)
const products = ['basic', 'pro'].map((id) => entity(uid('Product', id), [organization.uid]))
const actions = ['chat', 'embed', 'list'].map((id) =>
  entity(uid('Action', id), id === 'list' ? [] : [uid('Action', 'calls')]),
)
const stored = new Map([...teams, ...applications].map((each) => [each.uid.key, each]))
const models = ['gpt-5', 'gpt-5-mini', 'claude', 'a*b', 'naïve\u{1F600}x']
const addresses = ['10.1.2.3', '192.168.0.9', '127.0.0.1', '2001:db8::7', '::1', '224.0.0.5', '10.0.0.0/9']
const networks = [...addresses, '10.0.0.0/8', '0.0.0.0/0', '2001:db8::/32', 'ff00::/8', '::/0', 'no address']
const texts = [...models, 'live', 'test', 'red', '', 'DE', 'naïve']

function entity(own: EntityUid, ancestors: EntityUid[], fields: Record<string, CedarValue> = {}): Entity {
  return { uid: own, attributes: recordOf(fields), ancestors }
}

class Generator {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = createRandom(seed)
  }

  below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)]
    if (found === undefined) throw new RangeError('nothing to pick from')
    return found
  }

  chance(share: number): boolean {
    return this.#random() < share
  }

  request(): AccessRequest {
    const application = this.pick(applications)
    const environment = this.pick(['live', 'test'])
    const principal = entity(
      uid('Key', this.pick(['k1', 'k2', 'k3'])),
      [application.uid, ...application.ancestors],
      {
        application: application.uid,
        environment,
      },
    )
    const product = this.pick(products)
    const resource = this.chance(0.2)
      ? organization
      : entity(uid('ModelRoute', this.pick(models)), [product.uid, organization.uid])
    const ip = parseIpRange(this.pick(addresses))
    const context = recordOf({
      operation: this.pick(texts),
      ip: ip ?? undefined,
      model: this.chance(0.7) ? this.pick(models) : undefined,
      risk: this.chance(0.7) ? this.below(101) - 50 : undefined,
      tags: this.chance(0.8) ? new CedarSet([this.pick(texts), this.pick(texts), this.below(3)]) : undefined,
      time: recordOf({ hour: this.below(24), weekday: this.below(7) + 1 }),
    })
    return { principal, action: this.pick(actions), resource, context, entities: stored }
  }

  anyUid(): EntityUid {
    const keys = ['k1', 'k2', 'k9'].map((id) => uid('Key', id))
    const routes = models.map((id) => uid('ModelRoute', id))
    const known = [organization, ...teams, ...applications, ...products, ...actions].map((each) => each.uid)
    return this.pick([...keys, ...routes, ...known, uid('Action', 'calls'), uid('Team', 'nobody')])
  }

  policy(): PolicyJson {
    const conditions = Array.from({ length: this.below(3) }, () => ({
      kind: this.pick(['when', 'unless'] as const),
      body: this.chance(0.9) ? this.bool(3) : this.any(2),
    }))
    return {
      effect: this.chance(0.7) ? 'permit' : 'forbid',
      principal: this.#scope('Key'),
      action: this.#actionScope(),
      resource: this.#scope('ModelRoute'),
      conditions,
    } as unknown as PolicyJson
  }

  #scope(type: string): object {
    const named = { type: this.anyUid().type, id: '' }
    const anchor = this.anyUid()
    named.id = anchor.id
    const place = { entity: { type: anchor.type, id: anchor.id } }
    switch (this.below(6)) {
      case 0:
        return { op: '==', ...place }
      case 1:
        return { op: 'in', ...place }
      case 2:
        return { op: 'is', entity_type: this.chance(0.7) ? type : named.type }
      case 3:
        return { op: 'is', entity_type: type, in: place }
      default:
        return { op: 'All' }
    }
  }

  #actionScope(): object {
    const named = () => ({ type: 'Action', id: this.pick(['chat', 'embed', 'list', 'calls']) })
    switch (this.below(4)) {
      case 0:
        return { op: '==', entity: named() }
      case 1:
        return { op: 'in', entity: named() }
      case 2:
        return { op: 'in', entities: [named(), named()] }
      default:
        return { op: 'All' }
    }
  }

  bool(depth: number): object {
    if (depth === 0) return { Value: this.chance(0.5) }
    const left = () => this.any(depth - 1)
    const pair = (first: object, second: object) => ({ left: first, right: second })
    switch (this.below(16)) {
      case 0:
        return { '&&': pair(this.bool(depth - 1), this.bool(depth - 1)) }
      case 1:
        return { '||': pair(this.bool(depth - 1), this.bool(depth - 1)) }
      case 2:
        return { '!': { arg: this.bool(depth - 1) } }
      case 3:
        return { [this.pick(['==', '!='])]: pair(left(), left()) }
      case 4:
      case 5:
        return { [this.pick(['<', '<=', '>', '>='])]: pair(this.long(depth - 1), this.long(depth - 1)) }
      case 6:
        return { in: pair(this.uid(), this.chance(0.6) ? this.uid() : this.set(depth - 1)) }
      case 7:
        return { is: { left: this.uid(), entity_type: this.pick(['Key', 'ModelRoute', 'Team']) } }
      case 8:
        return { is: { left: this.uid(), entity_type: this.pick(['Key', 'ModelRoute']), in: this.uid() } }
      case 9:
        return { has: { left: this.pick([{ Var: 'context' }, this.uid()]), attr: this.attribute() } }
      case 10:
        return { like: { left: this.text(depth - 1), pattern: this.pattern() } }
      case 11:
        return { [this.pick(['contains'])]: pair(this.set(depth - 1), left()) }
      case 12:
        return { [this.pick(['containsAll', 'containsAny'])]: pair(this.set(depth - 1), this.set(depth - 1)) }
      case 13:
        return { isEmpty: { arg: this.set(depth - 1) } }
      case 14:
        return this.chance(0.6)
          ? { isInRange: [this.ip(), this.ip()] }
          : { [this.pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'])]: [this.ip()] }
      default:
        return { 'if-then-else': this.choice(depth - 1) }
    }
  }

  /** From entries: an object written with a field `then` looks like a promise to whoever awaits it. */
  choice(depth: number): object {
    return Object.fromEntries(['if', 'then', 'else'].map((part) => [part, this.bool(depth)]))
  }

  any(depth: number): object {
    const kinds = [
      () => this.long(depth),
      () => this.text(depth),
      () => this.uid(),
      () => this.set(depth),
      () => this.ip(),
      () => (depth === 0 ? { Value: true } : this.bool(depth - 1)),
      () => ({ Record: { hour: this.long(0), weekday: { Value: 3 } } }),
      () => ({ '.': { left: { Var: 'context' }, attr: 'time' } }),
    ]
    return this.pick(kinds)()
  }

  long(depth: number): object {
    if (depth > 0 && this.chance(0.1)) return this.any(depth - 1)
    const time = { '.': { left: { Var: 'context' }, attr: 'time' } }
    const choices = [
      { Value: this.below(30) - 5 },
      { '.': { left: { Var: 'context' }, attr: 'risk' } },
      { '.': { left: time, attr: this.pick(['hour', 'weekday']) } },
      { '.': { left: { '.': { left: { Var: 'principal' }, attr: 'application' } }, attr: 'size' } },
    ]
    return this.pick(choices)
  }

  text(depth: number): object {
    if (depth > 0 && this.chance(0.1)) return this.any(depth - 1)
    const choices = [
      { Value: this.pick(texts) },
      { '.': { left: { Var: 'context' }, attr: this.pick(['model', 'operation']) } },
      { '.': { left: { Var: 'principal' }, attr: 'environment' } },
    ]
    return this.pick(choices)
  }

  uid(): object {
    const { type, id } = this.anyUid()
    const choices = [
      { Var: 'principal' },
      { Var: 'resource' },
      { Var: 'action' },
      { '.': { left: { Var: 'principal' }, attr: 'application' } },
      { Value: { __entity: { type, id } } },
    ]
    return this.pick(choices)
  }

  set(depth: number): object {
    if (this.chance(0.4)) return { '.': { left: { Var: 'context' }, attr: 'tags' } }
    const items = Array.from({ length: this.below(4) }, () => (this.chance(0.5) ? this.text(0) : this.any(0)))
    const uids = Array.from({ length: this.below(4) }, () => this.uid())
    return { Set: this.chance(0.4) ? uids : depth === 0 ? [] : items }
  }

  ip(): object {
    return this.chance(0.5)
      ? { '.': { left: { Var: 'context' }, attr: 'ip' } }
      : { ip: [{ Value: this.pick(networks) }] }
  }

  attribute(): string {
    return this.pick(['model', 'risk', 'tags', 'ip', 'environment', 'application', 'team', 'constructor'])
  }

  pattern(): (object | 'Wildcard')[] {
    return Array.from({ length: this.below(5) }, () =>
      this.chance(0.5)
        ? ('Wildcard' as const)
        : { Literal: this.pick(['gpt', '-', '5', 'a', '*', 'ï', 'x', '']) },
    )
  }
}

export interface DifferentialResult {
  readonly decisions: number
  readonly allowed: number
  readonly withErrors: number
  /** The first difference, with all that it takes to see it again; null: there is none. */
  readonly difference: string | null
}

const mostPolicies = 6
const requestsPerSet = 250

function shapeOf({ isAllowed, policies, errors }: AccessDecision): string {
  return JSON.stringify([isAllowed, [...policies].sort(), [...errors].sort()])
}

/** Decide `count` times by both. `progress` is called now and then with the decisions so far. */
export function compareWithEngine(
  count: number,
  seed: number,
  progress: (decisions: number) => void = () => {},
): DifferentialResult {
  const random = new Generator(seed)
  let decisions = 0
  let allowed = 0
  let withErrors = 0
  while (decisions < count) {
    const policies: NamedPolicy[] = Array.from({ length: 1 + random.below(mostPolicies) }, (_, at) => ({
      name: `p${at}`,
      json: random.policy(),
    }))
    const compiled = compilePolicies(policies, actions)
    const engine = engineDecide('differential', policies)
    for (let at = 0; at < requestsPerSet && decisions < count; at += 1) {
      const request = random.request()
      const ours = compiled(request)
      const theirs = engine(request)
      decisions += 1
      if (theirs.isAllowed) allowed += 1
      if (theirs.errors.length > 0) withErrors += 1
      if (shapeOf(ours) === shapeOf(theirs)) continue
      const difference = JSON.stringify({
        seed,
        decisions,
        ours,
        theirs,
        policies,
        request: describe(request),
      })
      return { decisions, allowed, withErrors, difference }
    }
    progress(decisions)
  }
  return { decisions, allowed, withErrors, difference: null }
}

function describe({ principal, action, resource, context }: AccessRequest): object {
  return {
    principal,
    action,
    resource,
    context: [...context.fields].map(([name, value]) => [name, show(value)]),
  }
}

function show(value: CedarValue): string {
  if (value instanceof CedarRecord)
    return `{${[...value.fields].map(([name, each]) => `${name}: ${show(each)}`)}}`
  if (value instanceof CedarSet) return `[${value.items.map(show)}]`
  return typeof value === 'object' && 'text' in value ? value.text : JSON.stringify(value)
}
