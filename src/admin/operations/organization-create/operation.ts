import { Type } from 'typebox'
import { keyPolicySchema } from '../../../config/index.ts'
import { requireUnbound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { stamp } from '../../resource.ts'
import { organizationView, showOrganization } from '../../resources/organizations.ts'
import { closed, displayName, slug } from '../../schemas.ts'

export const organizationCreate = defineOperation({
  tag: 'organizations',
  summary: 'Create one organization',
  description: 'Takes a token that is bound to no organization.',
  body: closed({ slug, name: Type.Optional(displayName), keyPolicy: Type.Optional(keyPolicySchema) }),
  success: { status: 201, description: 'The new organization.', schema: organizationView },
  faults: ['organizationBound', 'conflict'],
  async run(ctx, { body }) {
    requireUnbound(ctx)
    const { slug: name, keyPolicy = {} } = body
    const record = { ...stamp(ctx, 'org'), slug: name, name: body.name ?? name, keyPolicy }
    return showOrganization(await ctx.deps.store.organizations.create(record))
  },
})
