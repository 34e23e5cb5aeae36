import { Type } from 'typebox'
import { requireUnbound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { closed, oneOf } from '../../schemas.ts'

const count = (description: string) => Type.Integer({ description, minimum: 0 })

export const sinkList = defineOperation({
  tag: 'sinks',
  summary: 'Say how events arrive at each sink',
  description: 'What this node knows; counts begin with its control plane.',
  success: {
    status: 200,
    description: 'The sinks, as configured.',
    schema: closed({
      sinks: Type.Array(
        closed({
          name: Type.String(),
          type: Type.String({ description: 'Section of its settings in `gatewright.yaml`.' }),
          circuit: oneOf(
            ['closed', 'half-open', 'open'],
            '`closed`: events go. `open`: five calls in a row failed, and it is left alone for a while. `half-open`: the next call is a probe.',
          ),
          places: Type.Integer({ description: 'Calls that may be under way now.', minimum: 1 }),
          delivered: count('Events that it took.'),
          retried: count('Times that an event was to be sent again.'),
          rejected: count('Events that it rejected for good.'),
          lagMs: Type.Number({
            description: 'Age of the oldest event that is under way, milliseconds.',
            minimum: 0,
          }),
          waitingBytes: count(
            'Bytes on disk that it has not got through, events that it does not get among them.',
          ),
          deadLetters: count('Events that were put aside and wait.'),
          problem: Type.String({ description: 'What went wrong last, while it does; empty: nothing.' }),
        }),
      ),
    }),
  },
  faults: ['organizationBound'],
  async run(ctx) {
    requireUnbound(ctx)
    return { sinks: [...(await ctx.deps.sinks.status())] }
  },
})
