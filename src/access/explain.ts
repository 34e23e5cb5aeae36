/** Why a call is allowed or denied: what each policy says of it, and which single change would turn the decision. */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { OrganizationPolicySnapshot } from '../domain/snapshot.ts'
import { type Call, compileOrganizationPolicies } from './organization-policies.ts'

export const policyOutcomes = ['holds', 'condition-not-met', 'elsewhere', 'error'] as const

export interface PolicyExplanation {
  readonly policy: string
  readonly effect: 'permit' | 'forbid'
  /** elsewhere: its head names another principal, action or resource. */
  readonly outcome: (typeof policyOutcomes)[number]
  /** Without this policy the decision would be the other one. */
  readonly turnsDecision: boolean
}
export interface AccessExplanation {
  readonly isAllowed: boolean
  readonly policies: readonly PolicyExplanation[]
}

/** Asks the evaluator itself, with other sets of policies: it cannot explain what it does not do. */
export function explainCall(snapshot: OrganizationPolicySnapshot, call: Call): AccessExplanation {
  const decideWith = (policies: OrganizationPolicySnapshot['policies']) =>
    compileOrganizationPolicies({ ...snapshot, policies }).decide(call)
  const { isAllowed, policies: determining, errors } = decideWith(snapshot.policies)
  return {
    isAllowed,
    policies: snapshot.policies.map((policy): PolicyExplanation => {
      const { name } = policy
      const json = policy.json as unknown as PolicyJson
      const bare = {
        name,
        json: { ...json, effect: 'permit', conditions: [] } as unknown as typeof policy.json,
      }
      const asPermit = { name, json: { ...json, effect: 'permit' } as unknown as typeof policy.json }
      const outcome = errors.includes(name)
        ? 'error'
        : decideWith([asPermit]).isAllowed
          ? 'holds'
          : decideWith([bare]).isAllowed
            ? 'condition-not-met'
            : 'elsewhere'
      const others = snapshot.policies.filter((each) => each !== policy)
      const turnsDecision = determining.includes(name) && decideWith(others).isAllowed !== isAllowed
      return { policy: name, effect: json.effect, outcome, turnsDecision }
    }),
  }
}
