import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'only calendar limits are raised, by an amount of theirs, at a counter that they can have',
  withAdmin(async (admin) => {
    const make = async (name: string, part: object): Promise<void> => {
      await admin.call('limit-create', { body: { name, meter: 'requests', amount: 5, ...part } })
    }
    await make('rate', { window: 'minute' })
    await make('daily', { window: { calendar: 'day' } })
    await make('daily-team', { window: { calendar: 'day' }, per: ['team', 'model'] })
    const cases: readonly (readonly [object, string])[] = [
      [{ limit: 'rate', amount: 1 }, 'limit'],
      [{ limit: 'daily', amount: 1.5 }, 'amount'],
      [{ limit: 'daily', amount: 1, subject: 'research' }, 'subject'],
      [{ limit: 'daily-team', amount: 1 }, 'subject'],
      [{ limit: 'daily-team', amount: 1, subject: 'a|b|c' }, 'subject'],
    ]
    for (const [body, param] of cases) {
      await admin.refuses('top-up-create', { body }, { status: 400, code: 'request.invalid-field', param })
    }
  }),
)
