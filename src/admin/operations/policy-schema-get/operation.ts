import { Type } from 'typebox'
import { accessSchema } from '../../../access/index.ts'
import { defineOperation } from '../../operation.ts'
import { closed } from '../../schemas.ts'

export const policySchemaGet = defineOperation({
  tag: 'policies',
  summary: 'Get the Cedar schema that policies are checked against',
  success: {
    status: 200,
    description: 'The schema.',
    schema: closed({ cedar: Type.String({ description: 'The schema in the Cedar language.' }) }),
  },
  faults: [],
  run: () => Promise.resolve({ cedar: accessSchema() }),
})
