import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a limit, a plan, or a limit of a plan that is not there',
  withAdmin(async (admin) => {
    await admin.call('plan-create', { body: { slug: 'team' } })
    for (const body of [
      { limit: 'budget', amount: 1 },
      { limit: 'budget', plan: 'gone', amount: 1 },
      { limit: 'budget', plan: 'team', amount: 1 },
    ]) {
      await admin.refuses('top-up-create', { body }, { status: 404, code: 'admin.not-found' })
    }
  }),
)
