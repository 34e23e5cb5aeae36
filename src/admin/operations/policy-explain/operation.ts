import { Type } from 'typebox'
import { policyOutcomes } from '../../../access/index.ts'
import { defineOperation } from '../../operation.ts'
import { memberParams, openMember } from '../../resource.ts'
import { explainAccess } from '../../resources/key-access.ts'
import { keys } from '../../resources/keys.ts'
import { closed, oneOf, time } from '../../schemas.ts'

const text = (description: string) => Type.String({ description, minLength: 1, maxLength: 200 })

const explanation = closed({
  isAllowed: Type.Boolean({ description: 'Whether the call would be allowed.' }),
  hasPolicies: Type.Boolean({
    description: 'False: the organization has no enabled policy; keys and subscriptions alone decide.',
  }),
  isSubscribed: Type.Boolean({
    description: 'Whether the key and a subscription have the operation on the model; without, it is denied.',
  }),
  policies: Type.Array(
    closed({
      policy: Type.String({ description: 'Slug.' }),
      effect: oneOf(['permit', 'forbid'], 'What it does where it holds.'),
      outcome: oneOf(policyOutcomes, 'elsewhere: its head names another principal, action or resource.'),
      turnsDecision: Type.Boolean({ description: 'Without it the policies would decide the other way.' }),
    }),
    { description: 'Each enabled policy.' },
  ),
})

export const policyExplain = defineOperation({
  tag: 'policies',
  summary: 'Explain which policies decide on a call of a key',
  params: memberParams(keys),
  query: closed({
    operation: text('Operation id, `chat.completions`.'),
    model: Type.Optional(text('Public model name that is asked for.')),
    address: Type.Optional(text('Network address of the caller; 127.0.0.1 when left out.')),
    at: Type.Optional({ ...time, description: 'Unix time in milliseconds; now when left out.' }),
  }),
  success: { status: 200, description: 'The decision and what each policy says.', schema: explanation },
  faults: ['objectNotFound', 'invalidField'],
  async run(ctx, { params, query }) {
    return explainAccess(ctx, await openMember(ctx, keys, params), query)
  },
})
