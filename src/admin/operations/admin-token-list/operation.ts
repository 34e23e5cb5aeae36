import { defineOperation } from '../../operation.ts'
import { showToken, tokenView } from '../../resources/admin-tokens.ts'
import { closed, pageOf, pageQuery } from '../../schemas.ts'

export const adminTokenList = defineOperation({
  tag: 'admin tokens',
  summary: 'List admin tokens',
  description: 'A token that is bound to an organization sees the tokens of that one.',
  query: closed(pageQuery),
  success: { status: 200, description: 'A page of admin tokens.', schema: pageOf(tokenView) },
  faults: ['validation'],
  async run(ctx, { query }) {
    const page = await ctx.deps.store.adminTokens.list(ctx.caller.organizationId, query)
    return { items: page.items.map(showToken), next: page.next }
  },
})
