/**
 * Authorization by Cedar policies: the published schema, the check of what is written, and the compiled evaluator
 * that decides on the hot path. `cedar-differential.test.ts` compares it with the Cedar engine, decision by
 * decision; what it does not know goes to that engine.
 */
export { readPolicy } from './cedar-engine.ts'
export type { AccessDecision } from './compiled-policies.ts'
export { explainCall, policyOutcomes } from './explain.ts'
export {
  type Call,
  type CalledModel,
  compileOrganizationPolicies,
  type OrganizationPolicies,
} from './organization-policies.ts'
export { PolicyReader, requirePolicy, revisionAfter } from './policy-text.ts'
export { accessSchema } from './schema.ts'
