/** Limits that stand alone: they hold for everything in their organization that they match. */
import { type Static, Type } from 'typebox'
import { limitMatchFields, limitTermFields, writeLimitTerms } from '../../config/index.ts'
import type { Limit } from '../../domain/entities.ts'
import type { Resource } from '../resource.ts'
import { closed, named, nullable, storedFields } from '../schemas.ts'
import { showFields } from '../show-fields.ts'
import { limitFigures } from './limit-figures.ts'

const any = 'Null: any.'

const view = named(
  'Limit',
  {
    ...storedFields,
    organizationId: Type.String(),
    ...limitTermFields,
    match: closed(
      {
        applications: nullable(limitMatchFields.applications, any),
        teams: nullable(limitMatchFields.teams, any),
        keys: nullable(limitMatchFields.keys, any),
        users: nullable(limitMatchFields.users, any),
        models: nullable(limitMatchFields.models, any),
        products: nullable(limitMatchFields.products, any),
      },
      'The limit applies where all that is named here matches.',
    ),
    figures: limitFigures,
  },
  'A limit of an organization, on everything that it matches.',
)
const show = showFields(view)

export const limits: Resource<Limit, typeof view> = {
  noun: 'limit',
  plural: 'limits',
  idPrefix: 'lim',
  uniqueName: 'name',
  view,
  table: (tables) => tables.limits,
  show: (record, deps): Static<typeof view> =>
    show({ ...record, ...writeLimitTerms(record), figures: deps.limitFigures(record.id) }),
}
