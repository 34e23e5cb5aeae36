import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a stored secret never follows to another address',
  withAdmin(async (admin) => {
    const params = { id: 'main' }
    for (const body of [
      { baseUrl: 'https://collector.example' },
      { region: 'collector' },
      { settings: { resource: 'collector' } },
    ]) {
      const refusal = { status: 400, code: 'admin.credential-needed', param: 'credential' }
      await admin.refuses('deployment-update', { params, body }, refusal)
    }
  }),
)
