import { Type } from 'typebox'
import { openOrganization } from '../../access.ts'
import { issueAdminToken } from '../../issue-admin-token.ts'
import { defineOperation } from '../../operation.ts'
import { showToken, tokenFields, tokenWithSecret } from '../../resources/admin-tokens.ts'
import { closed, organizationReference } from '../../schemas.ts'

export const adminTokenCreate = defineOperation({
  tag: 'admin tokens',
  summary: 'Create one admin token',
  description:
    'The token is shown once. With `organization`, it sees that one only; a bound caller can only make tokens of its own organization.',
  body: closed({
    name: tokenFields.name,
    scopes: tokenFields.scopes,
    organization: Type.Optional(organizationReference),
    expiresAt: Type.Optional(tokenFields.expiresAt),
  }),
  success: { status: 201, description: 'The new token and, this once, its text.', schema: tokenWithSecret },
  faults: ['objectNotFound'],
  async run(ctx, { body }) {
    const organization =
      body.organization === undefined ? null : await openOrganization(ctx, body.organization)
    const issued = await issueAdminToken(ctx.deps, {
      name: body.name,
      scopes: body.scopes,
      organizationId: organization?.id ?? ctx.caller.organizationId,
      expiresAt: body.expiresAt ?? null,
      managedBy: 'api',
    })
    return { adminToken: showToken(issued.adminToken), secret: issued.secret }
  },
})
