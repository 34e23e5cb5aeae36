import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a mistake in a limit is named by its place in the plan',
  withAdmin(async (admin) => {
    const good = { name: 'rate', meter: 'requests', amount: 1, window: 'minute' }
    const cases: readonly (readonly [object, string])[] = [
      [{ window: 'moment' }, 'limits[1].window'],
      [{ window: { calendar: 'day', timeZone: 'Mars/X' } }, 'limits[1].window.timeZone'],
      [{ amount: 0.5 }, 'limits[1].amount'],
      [{ per: ['key', 'key'] }, 'limits[1].per'],
      [{ alertsAt: [2] }, 'limits[1].alertsAt[0]'],
      [{ name: 'rate' }, 'limits[1].name'],
      [{ meter: 'concurrent-requests' }, 'limits[1].window'],
    ]
    for (const [part, param] of cases) {
      const body = { slug: 'team', limits: [good, { ...good, name: 'other', ...part }] }
      await admin.refuses('plan-create', { body }, { status: 400, code: 'request.invalid-field', param })
    }
  }),
)
