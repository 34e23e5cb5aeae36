/**
 * The policies of one organization, ready to decide on calls. Deny by default: a call that no policy permits is
 * denied, and one forbid outweighs all permits. Names in policies are slugs, so that they can be written by hand.
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { OrganizationPolicySnapshot } from '../domain/snapshot.ts'
import { engineDecide } from './cedar-engine.ts'
import { UnsupportedPolicy } from './compile-expression.ts'
import { type AccessDecision, compilePolicies, type Decide, type NamedPolicy } from './compiled-policies.ts'
import { parseIpRange } from './ip-range.ts'
import { actions } from './schema.ts'
import { CedarRecord, type CedarValue, type Entity, EntityUid, recordOf } from './values.ts'

/** What is known of a call when it is decided on. */
export interface Call {
  readonly keyId: string
  readonly environment: string
  /** Of a trusted issuer; else an API key. */
  readonly isToken: boolean
  readonly applicationId: string
  readonly operation: string
  /** Null: the operation names no model. */
  readonly model: CalledModel | null
  /** The caller's address; IPv4 within IPv6 is taken as IPv4. */
  readonly address: string
  /** Unix milliseconds. */
  readonly now: number
}
export interface CalledModel {
  /** Name of the route. */
  readonly route: string
  /** As the caller named it. */
  readonly asked: string
  /** Of the subscription through which it is used; null: none is known. */
  readonly productId: string | null
}

export interface OrganizationPolicies {
  decide(call: Call): AccessDecision
  /** False: the Cedar engine decides, because a policy uses what is not compiled. */
  readonly isCompiled: boolean
}

const denied: AccessDecision = Object.freeze({ isAllowed: false, policies: [], errors: [] })
const none = recordOf({})
const byKey = recordOf({ method: 'api-key', strength: 1 })
const byToken = recordOf({ method: 'access-token', strength: 1 })

/** @throws Error when the policies cannot be read at all */
export function compileOrganizationPolicies(snapshot: OrganizationPolicySnapshot): OrganizationPolicies {
  const policies = snapshot.policies.map(({ name, json }) => ({ name, json: json as unknown as PolicyJson }))
  const { decide, isCompiled } = chooseEngine(snapshot.organizationId, policies)
  const book = new EntityBook(snapshot)
  return Object.freeze({
    isCompiled,
    decide(call: Call): AccessDecision {
      const action = actions.get(call.operation)
      const application = book.applications.get(call.applicationId)
      const context = contextOf(call)
      if (action === undefined || application === undefined || context === null) return denied
      const principal = keyEntity(call, application)
      return decide({
        principal,
        action,
        resource: book.resource(call.model),
        context,
        entities: book.entities,
      })
    },
  })
}

function chooseEngine(id: string, policies: readonly NamedPolicy[]): { decide: Decide; isCompiled: boolean } {
  try {
    return { decide: compilePolicies(policies, [...actions.values()]), isCompiled: true }
  } catch (error) {
    if (!(error instanceof UnsupportedPolicy)) throw error
    return { decide: engineDecide(id, policies), isCompiled: false }
  }
}

function keyEntity({ keyId, environment }: Call, application: Entity): Entity {
  return {
    uid: new EntityUid('Key', keyId),
    attributes: new CedarRecord(
      new Map<string, CedarValue>().set('application', application.uid).set('environment', environment),
    ),
    ancestors: [application.uid, ...application.ancestors],
  }
}

const mappedPrefix = '::ffff:'

function contextOf({ operation, model, address, now, isToken }: Call): CedarRecord | null {
  const plain = address.startsWith(mappedPrefix) && address.includes('.') ? address.slice(7) : address
  const ip = parseIpRange(plain)
  if (ip === null) return null
  const fields = new Map<string, CedarValue>()
    .set('operation', operation)
    .set('ip', ip)
    .set('time', timeOf(now))
    .set('authentication', isToken ? byToken : byKey)
  if (model !== null) fields.set('model', model.asked)
  return new CedarRecord(fields)
}

const millisecondsPerDay = 86_400_000

/** By arithmetic: a Date costs more than the rest of the decision. Day 0 of Unix time was a Thursday. */
function timeOf(now: number): CedarRecord {
  const unixSeconds = Math.floor(now / 1000)
  const minuteOfDay = Math.floor((now % millisecondsPerDay) / 60_000)
  const fields = new Map<string, CedarValue>()
    .set('unixSeconds', unixSeconds)
    .set('hour', Math.floor(minuteOfDay / 60))
    .set('minute', minuteOfDay % 60)
    .set('weekday', ((Math.floor(now / millisecondsPerDay) + 3) % 7) + 1)
  return new CedarRecord(fields)
}

/** Entities of an organization that do not change between snapshots. */
class EntityBook {
  readonly applications: ReadonlyMap<string, Entity>
  readonly entities: ReadonlyMap<string, Entity>
  readonly #organization: Entity
  readonly #products: ReadonlyMap<string, Entity>
  /** By product and route. Both are of the configuration, which bounds them. */
  readonly #routes = new Map<string, Entity>()

  constructor({ organization, applications, products }: OrganizationPolicySnapshot) {
    const owner = { uid: new EntityUid('Organization', organization), attributes: none, ancestors: [] }
    const within = (uid: EntityUid): Entity => ({ uid, attributes: none, ancestors: [owner.uid] })
    const teams = new Map<string, Entity>()
    const byId = new Map<string, Entity>()
    for (const { id, slug, team } of applications) {
      const place = new EntityUid('Team', team)
      if (team !== '') teams.set(team, within(place))
      byId.set(id, {
        uid: new EntityUid('Application', slug),
        attributes: recordOf({ team }),
        ancestors: team === '' ? [owner.uid] : [place, owner.uid],
      })
    }
    this.#organization = owner
    this.applications = byId
    this.#products = new Map(products.map(({ id, slug }) => [id, within(new EntityUid('Product', slug))]))
    const all = [owner, ...teams.values(), ...byId.values(), ...this.#products.values()]
    this.entities = new Map(all.map((entity) => [entity.uid.key, entity]))
  }

  resource(model: CalledModel | null): Entity {
    if (model === null) return this.#organization
    const key = `${model.productId} ${model.route}`
    let route = this.#routes.get(key)
    if (route === undefined) {
      const product = this.#products.get(model.productId ?? '')
      const places = [...(product === undefined ? [] : [product.uid]), this.#organization.uid]
      route = { uid: new EntityUid('ModelRoute', model.route), attributes: none, ancestors: places }
      this.#routes.set(key, route)
    }
    return route
  }
}
