/** Applications: consumers of APIs. */
import { Type } from 'typebox'
import { keyPolicySchema } from '../../config/index.ts'
import type { Application } from '../../domain/entities.ts'
import type { Resource } from '../resource.ts'
import { displayName, longText, named, slug, storedFields } from '../schemas.ts'
import { showFields } from '../show-fields.ts'

export const applicationFields = {
  name: displayName,
  description: longText,
  team: Type.String({
    description: 'Team whose application it is, for limits that count per team; empty: none.',
    pattern: '^(?:[a-z0-9][a-z0-9._-]{0,62})?$',
  }),
  keyPolicy: keyPolicySchema,
}

const view = named(
  'Application',
  { ...storedFields, organizationId: Type.String(), slug, ...applicationFields },
  'A consumer of APIs; holds subscriptions and API keys.',
)

export const applications: Resource<Application, typeof view> = {
  noun: 'application',
  plural: 'applications',
  idPrefix: 'app',
  uniqueName: 'slug',
  view,
  table: (tables) => tables.applications,
  show: showFields(view),
}
