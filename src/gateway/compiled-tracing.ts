/** How exchanges are traced, compiled with the snapshot. */
import type { Propagation, SamplingRule, TracingTerms } from '../domain/tracing.ts'
import { compilePatterns, type PatternMatcher } from '../identity/index.ts'
import type { CompiledDeployment } from '../providers/index.ts'

export interface CompiledTracing {
  readonly terms: TracingTerms
  /** Share of the exchanges on an operation and a model route (its name; empty: none). */
  readonly ratioOf: (operationId: string, model: string) => number
  /** `traceparent` goes there. */
  readonly sendsContext: (deployment: CompiledDeployment) => boolean
  /** `tracestate` goes along. */
  readonly sendsState: (deployment: CompiledDeployment) => boolean
}

export function compileTracing(terms: TracingTerms): CompiledTracing {
  const rules = terms.rules.map((rule) => ({ fits: compileRule(rule), ratio: rule.ratio }))
  const named = new Set(terms.deployments)
  return Object.freeze({
    terms,
    ratioOf: (operationId: string, model: string) =>
      rules.find(({ fits }) => fits(operationId, model))?.ratio ?? terms.ratio,
    sendsContext: (deployment: CompiledDeployment) =>
      reaches(terms.context, deployment) || named.has(deployment.slug),
    sendsState: (deployment: CompiledDeployment) => reaches(terms.state, deployment),
  })
}

function compileRule({ operations, models }: SamplingRule): (operationId: string, model: string) => boolean {
  const everything: PatternMatcher = () => true
  const ofOperation = operations === null ? everything : compilePatterns(operations)
  const ofModel = models === null ? everything : compilePatterns(models)
  return (operationId, model) => ofOperation(operationId) && ofModel(model)
}

function reaches(propagation: Propagation, { snapshot }: CompiledDeployment): boolean {
  return propagation === 'all' || (propagation === 'private' && snapshot.allowPrivateNetwork)
}
