/** Alerts of limits: a counter has passed a share of its amount. Nobody makes or changes them here. */
import { type Static, Type } from 'typebox'
import { writeAmount } from '../../config/index.ts'
import type { LimitAlert } from '../../domain/limit-alert.ts'
import { limitMeters, limitSubjects } from '../../domain/limits.ts'
import { named, oneOf, time } from '../schemas.ts'

export const limitAlert = named(
  'LimitAlert',
  {
    id: Type.String({ description: 'Id, as the log and the webhook name it.' }),
    organizationId: Type.String(),
    limitId: Type.String({ description: 'Id of the limit; `<plan id>/<name>` for a limit of a plan.' }),
    limit: Type.String({ description: 'Name of the limit.' }),
    meter: oneOf(limitMeters, 'What the limit counts.'),
    per: Type.Array(oneOf(limitSubjects, 'What is counted apart.'), {
      description: 'What the limit counts apart.',
      maxItems: limitSubjects.length,
    }),
    subject: Type.String({
      description: 'The counter: values in the order of `per`, joined by `|`; empty: one for all that match.',
    }),
    periodStartsAt: time,
    threshold: Type.Number({ description: 'The share that was passed, 0 to 1.' }),
    amount: Type.Number({ description: 'What the full counter holds; for `cost` US dollars.' }),
    used: Type.Number({ description: 'What was used when it was seen; for `cost` US dollars.' }),
    at: time,
  },
  'A counter of a limit has passed a share at which the limit alerts.',
)

export function showLimitAlert({ limitName, per, ...alert }: LimitAlert): Static<typeof limitAlert> {
  return {
    ...alert,
    limit: limitName,
    per: [...per],
    amount: writeAmount(alert.meter, alert.amount),
    used: writeAmount(alert.meter, alert.used),
  }
}
