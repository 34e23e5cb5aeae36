import { Type } from 'typebox'
import { readPolicy } from '../../../access/index.ts'
import { openOrganization } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { collectionParams } from '../../resource.ts'
import { policyFields } from '../../resources/policies.ts'
import { closed, nullable } from '../../schemas.ts'

export const policyValidate = defineOperation({
  tag: 'policies',
  summary: 'Check a policy against the schema without storing it',
  params: collectionParams,
  body: closed({ cedar: policyFields.cedar }),
  success: {
    status: 200,
    description: 'What is wrong with it, if anything is.',
    schema: closed({ problem: nullable(Type.String(), 'What is wrong; null: nothing.') }),
  },
  faults: ['objectNotFound'],
  async run(ctx, { params, body }) {
    await openOrganization(ctx, params.organization)
    const reading = readPolicy({ name: 'draft', text: body.cedar })
    return { problem: reading.ok ? null : reading.problem }
  },
})
