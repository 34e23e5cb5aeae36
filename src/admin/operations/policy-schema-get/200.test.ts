import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operations } from '../../../domain/operations.ts'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'the schema names every operation of the data plane',
  withAdmin(async (admin) => {
    const { cedar } = (await admin.call('policy-schema-get')).body
    for (const { id } of operations) assert.ok(cedar.includes(`action "${id}" in `), id)
  }),
)
