import { Type } from 'typebox'
import { defineOperation } from '../../operation.ts'
import { memberParams, openMember } from '../../resource.ts'
import { tokenIssuers } from '../../resources/token-issuers.ts'
import { revocationView, showRevocation } from '../../resources/token-revocations.ts'
import { pageOf, pageQuery } from '../../schemas.ts'

export const tokenRevocationList = defineOperation({
  tag: 'token revocations',
  summary: 'List revocations of tokens of a token issuer',
  params: memberParams(tokenIssuers),
  query: Type.Object(pageQuery, { additionalProperties: false }),
  success: { status: 200, description: 'A page of revocations.', schema: pageOf(revocationView) },
  faults: ['objectNotFound', 'validation'],
  async run(ctx, { params, query }) {
    const { id: issuerId, organizationId } = await openMember(ctx, tokenIssuers, params)
    const page = await ctx.deps.store.tokenRevocations.list(organizationId, { ...query, issuerId })
    return { items: page.items.map((record) => showRevocation(record)), next: page.next }
  },
})
