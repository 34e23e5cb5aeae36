import { Type } from 'typebox'
import { defineOperation } from '../../operation.ts'
import { providerView, showProvider } from '../../resources/providers.ts'
import { closed } from '../../schemas.ts'

export const providerList = defineOperation({
  tag: 'providers',
  summary: 'List the provider catalogue',
  description: 'Vendors as rows of data; a deployment makes one of them usable.',
  success: {
    status: 200,
    description: 'All rows.',
    schema: closed({ items: Type.Array(providerView) }),
  },
  faults: [],
  run: (ctx) => Promise.resolve({ items: ctx.deps.providers().map(showProvider) }),
})
