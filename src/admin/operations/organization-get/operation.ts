import { openOrganization } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { organizationParams, organizationView, showOrganization } from '../../resources/organizations.ts'

export const organizationGet = defineOperation({
  tag: 'organizations',
  summary: 'Get one organization',
  params: organizationParams,
  success: { status: 200, description: 'The organization.', schema: organizationView },
  faults: ['objectNotFound'],
  run: async (ctx, { params }) => showOrganization(await openOrganization(ctx, params.organization)),
})
