/** API products: which operations on which model routes are published together. */
import { Type } from 'typebox'
import { type ApiProduct, lifecycleStates } from '../../domain/entities.ts'
import type { Resource } from '../resource.ts'
import {
  displayName,
  longText,
  modelPatterns,
  named,
  oneOf,
  operationIds,
  slug,
  storedFields,
} from '../schemas.ts'
import { showFields } from '../show-fields.ts'

export const productState = oneOf(
  lifecycleStates,
  'Only published and deprecated products open anything to subscribers.',
)

export const productFields = {
  name: displayName,
  version: Type.String({ description: 'Version for people.', minLength: 1, maxLength: 32 }),
  description: longText,
  state: productState,
  operations: operationIds,
  models: modelPatterns,
}

const view = named(
  'Product',
  { ...storedFields, organizationId: Type.String(), slug, ...productFields },
  'A published API: which operations on which model routes.',
)

export const products: Resource<ApiProduct, typeof view> = {
  noun: 'product',
  plural: 'products',
  idPrefix: 'prd',
  uniqueName: 'slug',
  view,
  table: (tables) => tables.products,
  show: showFields(view),
}
