import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a change that does not go with the rest of the limit is refused, and a meter never changes',
  withAdmin(async (admin) => {
    const body = { name: 'rate', meter: 'requests', amount: 5, window: 'hour', mode: 'shadow' }
    await admin.call('limit-create', { body })
    for (const [part, param] of [
      [{ whenExceeded: 'queue' }, 'whenExceeded'],
      [{ window: null }, 'window'],
      [{ amount: 1.5 }, 'amount'],
      [{ meter: 'cost' }, 'meter'],
      [{ name: 'other' }, 'name'],
    ] as const) {
      const request = { params: { id: 'rate' }, body: part }
      await admin.refuses('limit-update', request, { status: 400, code: 'request.invalid-field', param })
    }
  }),
)
