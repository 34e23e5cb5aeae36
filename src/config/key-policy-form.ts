/** How `keyPolicy` is written, in `gatewright.yaml` and in the admin API alike. */
import { Type } from 'typebox'
import { keyPolicyDefaults } from '../domain/key-policy.ts'

const days = (description: string) => Type.Optional(Type.Integer({ description, minimum: 1, maximum: 3650 }))

export const keyPolicySchema = Type.Object(
  {
    maxLifetimeDays: days(
      'A key must have an end, at most so many days after its secret was made. Holds for keys that are made or changed from then on.',
    ),
    rotateEveryDays: days('Secrets are to be rotated within so many days.'),
    rotateWarnDays: days(
      `The owner is told so many days before that; ${keyPolicyDefaults.rotateWarnDays} when left out.`,
    ),
    whenRotationOverdue: Type.Optional(
      Type.Union([Type.Literal('warn'), Type.Literal('refuse')], {
        description: 'What becomes of a key that was not rotated in time; `warn` when left out.',
      }),
    ),
    unusedDays: days('A key that was not used for so many days is put into quarantine.'),
    networks: Type.Optional(
      Type.Literal('required', { description: 'Keys must be bound to source networks (`cidrs`).' }),
    ),
  },
  {
    additionalProperties: false,
    description: 'What is asked of API keys. What is left out asks for nothing; {} lifts it all.',
  },
)
