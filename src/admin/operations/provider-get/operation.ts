import { Type } from 'typebox'
import { notFound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { providerView, showProvider } from '../../resources/providers.ts'
import { closed } from '../../schemas.ts'

export const providerGet = defineOperation({
  tag: 'providers',
  summary: 'Get one provider row',
  params: closed({
    id: Type.String({ description: 'Id of the row.', pattern: '^[a-z0-9][a-z0-9-]{0,63}$' }),
  }),
  success: { status: 200, description: 'The row.', schema: providerView },
  faults: ['objectNotFound'],
  async run(ctx, { params }) {
    const row = ctx.deps.providers().find((provider) => provider.id === params.id)
    if (row === undefined) throw notFound('provider', params.id)
    return showProvider(row)
  },
})
