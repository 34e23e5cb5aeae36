import {
  type GivenLimit,
  givenMatchSchema,
  limitTermFields,
  readLimitMatch,
  writeLimitTerms,
} from '../../../config/index.ts'
import { checkTerms } from '../../limit-terms.ts'
import { updateOperation } from '../../resource.ts'
import { limits } from '../../resources/limits.ts'

/** Name and meter say what has been counted so far: a limit of something else is another limit. */
const { name: _name, meter: _meter, ...changeable } = limitTermFields

export const limitUpdate = updateOperation(limits, {
  description:
    'Fields left out stay as they are; `match` is replaced as a whole. Counters stay: what was used stays used.',
  body: { ...changeable, match: givenMatchSchema },
  change(ctx, record, { fields: { match, ...fields }, terms }) {
    const { name, meter, ...checked } = checkTerms({ ...writeLimitTerms(record), ...fields } as GivenLimit)
    const patch = { ...checked, ...(match === undefined ? {} : { match: readLimitMatch(match) }) }
    return ctx.deps.store.limits.update(record.organizationId, record.id, { patch, ...terms })
  },
})
