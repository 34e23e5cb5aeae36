import { Type } from 'typebox'
import { requirePolicy } from '../../../access/index.ts'
import { createOperation } from '../../resource.ts'
import { policies, policyFields } from '../../resources/policies.ts'
import { closed, slug } from '../../schemas.ts'

export const policyCreate = createOperation(policies, {
  description:
    'From its first enabled policy on, an organization allows only what a policy permits and none forbids.',
  body: closed({
    slug,
    cedar: policyFields.cedar,
    description: Type.Optional(policyFields.description),
    enabled: Type.Optional(policyFields.enabled),
  }),
  faults: ['invalidField'],
  build(_ctx, _organization, { slug: name, cedar, description = '', enabled = true }) {
    requirePolicy({ name, text: cedar })
    return { slug: name, cedar, description, enabled, revision: 1 }
  },
  store: (ctx, record) => ctx.deps.store.policies.create(record),
})
