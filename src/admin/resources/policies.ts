/** Policies: who may call what, in the Cedar language. */
import { Type } from 'typebox'
import type { AccessPolicy } from '../../domain/entities.ts'
import type { Resource } from '../resource.ts'
import { longText, named, slug, storedFields } from '../schemas.ts'
import { showFields } from '../show-fields.ts'

export const policyFields = {
  description: longText,
  cedar: Type.String({
    description: 'One policy in the Cedar language, checked against the published schema.',
    minLength: 1,
    maxLength: 16_384,
  }),
  enabled: Type.Boolean({ description: 'False: it is kept and decides nothing.' }),
}

const view = named(
  'Policy',
  {
    ...storedFields,
    organizationId: Type.String(),
    slug,
    ...policyFields,
    revision: Type.Integer({
      description: 'Counts the changes of `cedar` and `enabled`, from 1.',
      minimum: 1,
    }),
  },
  'One Cedar policy of an organization.',
)

export const policies: Resource<AccessPolicy, typeof view> = {
  noun: 'policy',
  plural: 'policies',
  idPrefix: 'pol',
  uniqueName: 'slug',
  view,
  table: (tables) => tables.policies,
  show: showFields(view),
}
