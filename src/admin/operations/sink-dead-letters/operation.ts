import { Type } from 'typebox'
import { requireUnbound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { closed } from '../../schemas.ts'
import { foundAtSink, sinkParams } from '../../sink-access.ts'

const defaultLimit = 100

export const sinkDeadLetters = defineOperation({
  tag: 'sinks',
  summary: 'List events that a sink rejected for good',
  description:
    'The oldest first. They wait until they are sent again, or until 64 MiB of newer ones push them out.',
  params: sinkParams,
  query: closed({
    limit: Type.Optional(
      Type.Integer({ description: 'Most letters.', minimum: 1, maximum: 1000, default: defaultLimit }),
    ),
  }),
  success: {
    status: 200,
    description: 'Dead letters.',
    schema: closed({
      letters: Type.Array(
        closed({
          at: Type.Integer({ description: 'When it was rejected, Unix milliseconds.' }),
          reason: Type.String(),
          event: Type.Record(Type.String(), Type.Unknown(), { description: 'The event as it was sent.' }),
        }),
      ),
    }),
  },
  faults: ['organizationBound', 'objectNotFound'],
  async run(ctx, { params, query }) {
    requireUnbound(ctx)
    const found = await ctx.deps.sinks.letters(params.name, query.limit ?? defaultLimit)
    return {
      letters: foundAtSink(found, params.name).map(({ at, reason, event }) => ({
        at,
        reason,
        event: { ...event },
      })),
    }
  },
})
