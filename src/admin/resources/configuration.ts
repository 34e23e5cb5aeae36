/** Documents in the objects part of the `gatewright.yaml` schema, and what differs. */
import { type Static, Type } from 'typebox'
import type { ResourceChange } from '../../resources/index.ts'
import { closed, named, oneOf } from '../schemas.ts'

export const documentBody = closed({
  document: Type.String({
    description: 'YAML or JSON: organizations, deployments, models, products, applications.',
    maxLength: 1_000_000,
  }),
})

export const changeList = named(
  'ChangeList',
  {
    changes: Type.Array(
      closed({
        action: oneOf(['create', 'update', 'remove'], 'What happens.'),
        noun: Type.String({ description: 'What it happens to.' }),
        name: Type.String({ description: 'Slug or name.' }),
        organization: Type.String({ description: 'Slug of the organization.' }),
        fields: Type.Array(Type.String(), { description: 'Fields that differ.' }),
      }),
      { description: 'In the order of execution; empty where nothing differs.' },
    ),
  },
  'Differences between a document and the store.',
)

export function showChanges(changes: readonly ResourceChange[]): Static<typeof changeList> {
  return { changes: changes.map((change) => ({ ...change, fields: [...change.fields] })) }
}
