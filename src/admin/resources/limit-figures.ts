/** How often a limit refused, was passed without refusing, and could not be asked. */
import { Type } from 'typebox'
import { named } from '../schemas.ts'

const count = (description: string) => Type.Integer({ minimum: 0, description })

export const limitFigures = named(
  'LimitFigures',
  {
    refused: count('Requests that the limit refused.'),
    exceeded: count('Requests that were beyond it and served, because it is not enforced.'),
    unavailable: count('Times that its shared counter could not be asked.'),
  },
  'Counted on the node that answers, over all counters of the limit, since its process started.',
)
