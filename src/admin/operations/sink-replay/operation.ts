import { Type } from 'typebox'
import { requireUnbound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { closed } from '../../schemas.ts'
import { foundAtSink, sinkParams } from '../../sink-access.ts'

const count = (description: string) => Type.Integer({ description, minimum: 0 })

export const sinkReplay = defineOperation({
  tag: 'sinks',
  summary: 'Send dead letters of a sink again',
  description:
    'About a thousand of the oldest; call again while some remain. Answers when the sink has taken or rejected them; what it rejects again is a dead letter again.',
  params: sinkParams,
  success: {
    status: 200,
    description: 'What became of them.',
    schema: closed({
      delivered: count('Events that it took now.'),
      rejected: count('Events that it rejected again.'),
      remaining: count('Dead letters that are left.'),
    }),
  },
  faults: ['organizationBound', 'objectNotFound'],
  async run(ctx, { params }) {
    requireUnbound(ctx)
    const { sinks, log } = ctx.deps
    const result = foundAtSink(await sinks.replay(params.name), params.name)
    log.info(
      { requestId: ctx.requestId, code: 'sinks.replayed' },
      `admin token ${ctx.caller.tokenId} sent dead letters of ${params.name} again: ${result.delivered} taken`,
    )
    return { ...result }
  },
})
