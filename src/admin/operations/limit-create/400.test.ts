import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a mistake is named by its field',
  withAdmin(async (admin) => {
    const good = { name: 'a', meter: 'requests', amount: 1, window: 'minute' }
    const cases: readonly (readonly [object, string, string])[] = [
      [{ window: null }, 'window', 'request.invalid-field'],
      [{ window: '40d' }, 'window', 'request.invalid-field'],
      [{ window: { rolling: 'minute', burst: 0 } }, 'window.burst', 'request.invalid-field'],
      [{ window: { calendar: 'month', timezone: 'UTC' } }, 'window.timezone', 'request.invalid-field'],
      [{ meter: 'cost', amount: 0.0000001 }, 'amount', 'request.invalid-field'],
      [{ mode: 'shadow', whenExceeded: 'queue' }, 'whenExceeded', 'request.invalid-field'],
      [{ match: { models: [] } }, 'match.models', 'request.invalid-field'],
      [{ match: { models: ['*x'] } }, 'match.models[0]', 'request.invalid-field'],
      [{ amount: undefined }, 'amount', 'request.missing-field'],
    ]
    for (const [part, param, code] of cases) {
      await admin.refuses('limit-create', { body: { ...good, ...part } }, { status: 400, code, param })
    }
  }),
)
