/** Top-ups: one counter of a calendar limit is raised, for the period in which the top-up falls. */
import { type Static, Type } from 'typebox'
import { writeAmount } from '../../config/index.ts'
import type { TopUp } from '../../domain/entities.ts'
import { limitMeters } from '../../domain/limits.ts'
import type { Resource } from '../resource.ts'
import { named, oneOf, storedFields, time } from '../schemas.ts'
import { showFields } from '../show-fields.ts'

export const topUpFields = {
  subject: Type.String({
    description:
      "The counter: values in the order of the limit's `per`, joined by `|`, as the explanation of a key shows them.",
    maxLength: 1000,
  }),
  amount: Type.Number({
    description: 'How much more: a whole number, or for `cost` US dollars.',
    exclusiveMinimum: 0,
  }),
  at: time,
  note: Type.String({ description: 'Why, for people.', maxLength: 500 }),
}

const view = named(
  'TopUp',
  {
    ...storedFields,
    organizationId: Type.String(),
    limitId: Type.String({ description: 'Id of the limit; `<plan id>/<name>` for a limit of a plan.' }),
    meter: oneOf(limitMeters, 'What the limit counts.'),
    ...topUpFields,
  },
  'Raises one counter of a calendar limit for the period that holds `at`.',
)
const show = showFields(view)

export const topUps: Resource<TopUp, typeof view> = {
  noun: 'top-up',
  plural: 'top-ups',
  idPrefix: 'tup',
  uniqueName: 'id',
  view,
  table: (tables) => tables.topUps,
  show: (record): Static<typeof view> =>
    show({ ...record, amount: writeAmount(record.meter, record.amount) }),
}
