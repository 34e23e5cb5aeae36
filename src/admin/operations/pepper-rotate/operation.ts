import { Type } from 'typebox'
import { requireUnbound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { closed } from '../../schemas.ts'

const version = Type.Integer({ description: 'Version of a pepper.', minimum: 1 })

export const pepperRotate = defineOperation({
  tag: 'secrets',
  summary: 'Rotate the pepper',
  description:
    'API keys and admin tokens are hashed under a new pepper from now on. Those that exist stay under theirs and go on working; rotate them to bring them under the new one. A pepper that no live key or token stands under is dropped with the next rotation.',
  success: {
    status: 200,
    description: 'The versions of the peppers.',
    schema: closed({
      current: version,
      kept: Type.Array(version, { description: 'Under which keys or tokens may still stand.' }),
      dropped: Type.Array(version, { description: 'Under which nothing stood any more.' }),
    }),
  },
  faults: ['organizationBound', 'staleUpdate', 'pepperLimit'],
  async run(ctx) {
    requireUnbound(ctx)
    const { pepperBook, clock, log } = ctx.deps
    const { current, kept, dropped } = await pepperBook.rotate(clock.now())
    log.info(
      { requestId: ctx.requestId, code: 'secrets.pepper-rotated' },
      `admin token ${ctx.caller.tokenId} made pepper ${current} and dropped ${dropped.length}`,
    )
    return { current, kept: [...kept], dropped: [...dropped] }
  },
})
