import { defineOperation } from '../../operation.ts'
import { organizationView, showOrganization } from '../../resources/organizations.ts'
import { closed, pageOf, pageQuery } from '../../schemas.ts'

export const organizationList = defineOperation({
  tag: 'organizations',
  summary: 'List organizations',
  description: 'A token that is bound to an organization sees that one.',
  query: closed(pageQuery),
  success: { status: 200, description: 'A page of organizations.', schema: pageOf(organizationView) },
  faults: ['validation'],
  async run(ctx, { query }) {
    const { organizations } = ctx.deps.store
    const bound = ctx.caller.organizationId
    if (bound === null) {
      const page = await organizations.list(query)
      return { items: page.items.map(showOrganization), next: page.next }
    }
    const own = await organizations.get(bound)
    return { items: own === null ? [] : [showOrganization(own)], next: null }
  },
})
