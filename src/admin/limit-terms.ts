/** The terms of a limit as the API takes and shows them: written as in `gatewright.yaml`, checked in the same way. */
import { Type } from 'typebox'
import {
  type GivenLimit,
  givenLimitFields,
  joinPath,
  limitTermFields,
  maxLimits,
  type ReportLimitProblem,
  readLimitTerms,
  readPlanLimits,
} from '../config/index.ts'
import type { LimitTerms } from '../domain/limits.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { named } from './schemas.ts'

export const shownTerms = named('LimitTerms', limitTermFields, 'How much of what, in which time.')

export const givenPlanLimits = Type.Array(
  named('GivenLimitTerms', givenLimitFields, 'How much of what; what is left out takes its default.'),
  { description: 'Limits of the plan; names are unique within it.', maxItems: maxLimits },
)

/** Where the terms stand in the body. @throws 400 for the first problem */
function refuseAt(...place: readonly string[]): ReportLimitProblem {
  return (path, reason) => {
    const field = joinPath([...place, ...path])
    throw new Fault(faults.invalidField, { public: { field, reason }, param: field })
  }
}

export function checkTerms(given: GivenLimit): LimitTerms {
  return readLimitTerms(given, refuseAt())
}

export function checkPlanLimits(given: readonly GivenLimit[]): LimitTerms[] {
  return readPlanLimits(given, refuseAt('limits'))
}
