import { Type } from 'typebox'
import { defineOperation } from '../../operation.ts'
import { memberParams, openMember } from '../../resource.ts'
import { explainKey, keyLimits } from '../../resources/key-limits.ts'
import { keys } from '../../resources/keys.ts'
import { closed } from '../../schemas.ts'

const text = (description: string) => Type.Optional(Type.String({ description, maxLength: 200 }))

export const limitExplain = defineOperation({
  tag: 'limits',
  summary: 'Explain which limits hold for a key, and how they stand',
  description:
    'For an exchange of this key as described; a limit that counts per user or address needs that value to tell which counter is meant.',
  params: memberParams(keys),
  query: closed({
    model: text('Public model name that is asked for.'),
    user: text('End user that the request names; none when left out: counted by key.'),
    address: text('Network address of the caller.'),
  }),
  success: { status: 200, description: 'The limits, those that apply first.', schema: keyLimits },
  faults: ['objectNotFound'],
  async run(ctx, { params, query }) {
    return explainKey(ctx, await openMember(ctx, keys, params), query)
  },
})
