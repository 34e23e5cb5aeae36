import { Type } from 'typebox'
import { requireWritable } from '../../access.ts'
import { requireActive } from '../../key-rules.ts'
import { defineOperation } from '../../operation.ts'
import { memberParams, openMember } from '../../resource.ts'
import { keys, keyWithSecret } from '../../resources/keys.ts'
import { closed } from '../../schemas.ts'
import { rotateKey } from '../../secrets.ts'

const secondsMax = 30 * 86_400

export const keyRotate = defineOperation({
  tag: keys.plural,
  summary: 'Rotate the secret of one key',
  description:
    'Makes a new secret under the same key id, so that limits, budgets and history stay. The old secret of a key in quarantine ends at once.',
  params: memberParams(keys),
  body: closed({
    overlapSeconds: Type.Optional(
      Type.Integer({
        description: 'How long the old secret stays valid beside the new one. 0 ends it at once.',
        minimum: 0,
        maximum: secondsMax,
        default: 86_400,
      }),
    ),
  }),
  success: { status: 200, description: 'The key and, this once, its new secret.', schema: keyWithSecret },
  faults: ['objectNotFound', 'readOnly', 'keyEnded', 'staleUpdate'],
  async run(ctx, { params, body }) {
    const record = await openMember(ctx, keys, params)
    requireWritable(keys.noun, record)
    requireActive(record)
    const { store, clock } = ctx.deps
    const now = clock.now()
    const { text, secrets } = rotateKey({
      key: record,
      secrets: await store.keys.secrets(record.organizationId, record.id),
      peppers: ctx.deps.peppers(),
      now,
      // What may be in strange hands gets no overlap.
      overlapMs: record.state === 'quarantined' ? 0 : (body.overlapSeconds ?? 86_400) * 1000,
    })
    const change = { secrets, now, expectedUpdatedAt: record.updatedAt }
    return {
      key: keys.show(await store.keys.setSecrets(record.organizationId, record.id, change), ctx.deps),
      secret: text,
    }
  },
})
