import {
  type GivenGuard,
  givenGuardMatchSchema,
  guardRulesField,
  guardTermFields,
  readGuardMatch,
} from '../../../config/index.ts'
import { updateOperation } from '../../resource.ts'
import { checkGuard, guards } from '../../resources/guards.ts'

/** A guard of another detector is another guard. */
const { name: _name, detector: _detector, ...changeable } = guardTermFields

export const guardUpdate = updateOperation(guards, {
  description: 'Fields left out stay as they are; `match` is replaced as a whole.',
  body: { ...changeable, rules: guardRulesField, match: givenGuardMatchSchema },
  change(ctx, record, { fields: { match, ...fields }, terms }) {
    const { places, rules, ...own } = record
    const before = { ...own, places: [...places], ...(rules === null ? {} : { rules: [...rules] }) }
    const { name, detector, ...checked } = checkGuard({ ...before, ...fields } as GivenGuard)
    const patch = { ...checked, ...(match === undefined ? {} : { match: readGuardMatch(match) }) }
    return ctx.deps.store.guards.update(record.organizationId, record.id, { patch, ...terms })
  },
})
