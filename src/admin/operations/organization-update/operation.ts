import { Type } from 'typebox'
import { keyPolicySchema } from '../../../config/index.ts'
import { openOrganization, requireWritable } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { updateTerms } from '../../resource.ts'
import { organizationParams, organizationView, showOrganization } from '../../resources/organizations.ts'
import { closed, displayName, expectedUpdatedAt } from '../../schemas.ts'

export const organizationUpdate = defineOperation({
  tag: 'organizations',
  summary: 'Change one organization',
  params: organizationParams,
  body: closed({
    name: Type.Optional(displayName),
    keyPolicy: Type.Optional(keyPolicySchema),
    expectedUpdatedAt,
  }),
  success: { status: 200, description: 'The changed organization.', schema: organizationView },
  faults: ['objectNotFound', 'readOnly', 'staleUpdate'],
  async run(ctx, { params, body }) {
    const record = await openOrganization(ctx, params.organization)
    requireWritable('organization', record)
    const { fields: patch, terms } = updateTerms(ctx, body)
    return showOrganization(await ctx.deps.store.organizations.update(record.id, { patch, ...terms }))
  },
})
