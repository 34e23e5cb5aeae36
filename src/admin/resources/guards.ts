/** Guards: what is looked for in the texts of exchanges, where, and what then happens. */
import type { Static } from 'typebox'
import { Type } from 'typebox'
import {
  type GivenGuard,
  guardMatchFields,
  guardRulesField,
  guardTermFields,
  readGuardTerms,
} from '../../config/index.ts'
import type { Guard } from '../../domain/entities.ts'
import type { GuardTerms } from '../../domain/guards.ts'
import { faults } from '../../faults/catalogue.ts'
import { findGuardProblem } from '../../inspection/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Resource } from '../resource.ts'
import { closed, named, nullable, storedFields } from '../schemas.ts'
import { showFields } from '../show-fields.ts'

const any = 'Null: any.'

const view = named(
  'Guard',
  {
    ...storedFields,
    organizationId: Type.String(),
    ...guardTermFields,
    rules: nullable(guardRulesField, 'Null: all.'),
    match: closed(
      {
        applications: nullable(guardMatchFields.applications, any),
        products: nullable(guardMatchFields.products, any),
        routes: nullable(guardMatchFields.routes, any),
        models: nullable(guardMatchFields.models, any),
        keys: nullable(guardMatchFields.keys, any),
      },
      'The guard holds where all that is named here matches.',
    ),
  },
  'A guard of an organization, on everything that it matches.',
)
const show = showFields(view)

export const guards: Resource<Guard, typeof view> = {
  noun: 'guard',
  plural: 'guards',
  idPrefix: 'grd',
  uniqueName: 'name',
  view,
  table: (tables) => tables.guards,
  show: (record): Static<typeof view> =>
    show({ ...record, places: [...record.places], rules: record.rules === null ? null : [...record.rules] }),
}

/** @throws 400 for what cannot be compiled */
export function checkGuard(given: GivenGuard): GuardTerms {
  const terms = readGuardTerms(given)
  const reason = findGuardProblem(terms)
  if (reason !== null)
    throw new Fault(faults.invalidField, { public: { field: 'rules', reason }, param: 'rules' })
  return terms
}
