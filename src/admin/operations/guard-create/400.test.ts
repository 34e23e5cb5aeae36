import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'what this version does not know is refused, naming the field',
  withAdmin(async (admin) => {
    const good = { name: 'a', detector: 'secrets', action: 'mask' }
    const cases: readonly (readonly [object, string])[] = [
      [{ detector: 'astrology' }, 'detector'],
      [{ action: 'tokenize' }, 'action'],
      [{ places: [] }, 'places'],
      [{ threshold: 2 }, 'threshold'],
      [{ rules: ['no-such-rule'] }, 'rules'],
    ]
    for (const [part, param] of cases)
      await admin.refuses(
        'guard-create',
        { body: { ...good, ...part } },
        { status: 400, code: 'request.invalid-field', param },
      )
  }),
)
