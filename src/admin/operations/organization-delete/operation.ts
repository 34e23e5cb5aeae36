import { openOrganization, requireUnbound, requireWritable } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { organizationParams } from '../../resources/organizations.ts'

export const organizationDelete = defineOperation({
  tag: 'organizations',
  summary: 'Delete one organization',
  description: 'Refused while it holds anything. Takes a token that is bound to no organization.',
  params: organizationParams,
  success: { status: 204, description: 'The organization is gone.' },
  faults: ['organizationBound', 'objectNotFound', 'readOnly', 'inUse'],
  async run(ctx, { params }) {
    const record = await openOrganization(ctx, params.organization)
    requireUnbound(ctx)
    requireWritable('organization', record)
    await ctx.deps.store.organizations.remove(record.id)
    return undefined
  },
})
