/**
 * The Cedar engine itself, in WebAssembly: reads and checks policies on the control plane, and decides where the
 * compiled evaluator does not know an operator. Loaded by the first who asks (about 30 ms and 60 MB), so that who
 * has no policies never pays for it.
 */
import { createRequire } from 'node:module'
import type { DetailedError, EntityJson, PolicyJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'
import type { AccessRequest } from './compile-expression.ts'
import type { Decide } from './compiled-policies.ts'
import { IpRange } from './ip-range.ts'
import { accessSchema } from './schema.ts'
import { CedarRecord, CedarSet, type CedarValue, type Entity, EntityUid } from './values.ts'

type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs')

let loaded: Cedar | null = null

function cedar(): Cedar {
  loaded ??= createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as Cedar
  return loaded
}

/** A policy as it is written: one Cedar policy under one name. */
export interface WrittenPolicy {
  readonly name: string
  readonly text: string
}

export type PolicyReading =
  | { readonly ok: true; readonly json: PolicyJson }
  | { readonly ok: false; readonly problem: string }

/** Read one policy and check it against the published schema. */
export function readPolicy({ name, text }: WrittenPolicy): PolicyReading {
  const parsed = cedar().policyToJson(text)
  if (parsed.type === 'failure') return { ok: false, problem: describe(parsed.errors) }
  const checked = cedar().validate({
    schema: accessSchema(),
    policies: { staticPolicies: { [name]: text } },
    validationSettings: { mode: 'strict' },
  })
  if (checked.type === 'failure') return { ok: false, problem: describe(checked.errors) }
  const errors = checked.validationErrors.map(({ error }) => error)
  // A policy that can never apply is a mistake, too: whoever wrote it counts on it.
  const impossible = checked.validationWarnings.filter(({ error }) => error.message.includes('impossible'))
  const problems = [...errors, ...impossible.map(({ error }) => error)]
  if (problems.length > 0) return { ok: false, problem: describe(problems) }
  return { ok: true, json: parsed.json }
}

const maxProblems = 3

function describe(errors: readonly DetailedError[]): string {
  return errors
    .slice(0, maxProblems)
    .map(({ message, help }) => (help === null || help === undefined ? message : `${message} (${help})`))
    .join('; ')
}

/** Lets the engine decide. `id` names the set in this thread; another set under the same id takes its place. */
export function engineDecide(id: string, policies: readonly { name: string; json: PolicyJson }[]): Decide {
  const staticPolicies = Object.fromEntries(policies.map(({ name, json }) => [name, json]))
  const parsed = cedar().preparsePolicySet(id, { staticPolicies })
  if (parsed.type === 'failure') throw new Error(`the engine refuses policies: ${describe(parsed.errors)}`)
  return (request) => {
    const answer = cedar().statefulIsAuthorized({
      principal: uidJson(request.principal.uid),
      action: uidJson(request.action.uid),
      resource: uidJson(request.resource.uid),
      context: Object.fromEntries(
        [...request.context.fields].map(([name, value]) => [name, valueJson(value)]),
      ),
      preparsedPolicySetId: id,
      entities: entitiesJson(request),
    })
    // What cannot be decided is not allowed.
    if (answer.type === 'failure')
      return { isAllowed: false, policies: [], errors: Object.keys(staticPolicies) }
    const { decision, diagnostics } = answer.response
    return {
      isAllowed: decision === 'allow',
      policies: diagnostics.reason,
      errors: diagnostics.errors.map(({ policyId }) => policyId),
    }
  }
}

function uidJson({ type, id }: EntityUid): TypeAndId {
  return { type, id }
}

function entitiesJson({ principal, action, resource, entities }: AccessRequest): EntityJson[] {
  const all = new Map(entities)
  for (const entity of [principal, action, resource]) all.set(entity.uid.key, entity)
  return [...all.values()].map(entityJson)
}

function entityJson({ uid, attributes, ancestors }: Entity): EntityJson {
  const attrs = Object.fromEntries([...attributes.fields].map(([name, value]) => [name, valueJson(value)]))
  return { uid: uidJson(uid), attrs, parents: ancestors.map(uidJson) }
}

type ValueJson = EntityJson['attrs'][string]

function valueJson(value: CedarValue): ValueJson {
  if (value instanceof EntityUid) return { __entity: uidJson(value) }
  if (value instanceof CedarSet) return value.items.map(valueJson)
  if (value instanceof CedarRecord)
    return Object.fromEntries([...value.fields].map(([name, field]) => [name, valueJson(field)]))
  if (value instanceof IpRange) return { __extn: { fn: 'ip', arg: value.text } }
  return value
}
