import { Type } from 'typebox'
import { requireUnbound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { stamp } from '../../resource.ts'
import { organizationView, showOrganization } from '../../resources/organizations.ts'
import { closed, displayName, slug } from '../../schemas.ts'

export const organizationCreate = defineOperation({
  tag: 'organizations',
  summary: 'Create one organization',
  description: 'Takes a token that is bound to no organization.',
  body: closed({ slug, name: Type.Optional(displayName) }),
  success: { status: 201, description: 'The new organization.', schema: organizationView },
  faults: ['organizationBound', 'conflict'],
  async run(ctx, { body }) {
    requireUnbound(ctx)
    const record = { ...stamp(ctx, 'org'), slug: body.slug, name: body.name ?? body.slug }
    return showOrganization(await ctx.deps.store.organizations.create(record))
  },
})
