import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'sending again says what became of it, and is noted with who asked',
  withAdmin(async (admin) => {
    const { body } = await admin.call('sink-replay', { params: { name: 'siem' } })
    assert.deepEqual(body, { delivered: 1, rejected: 0, remaining: 0 })
    const note = admin.logged.find(({ code }) => code === 'sinks.replayed')
    assert.match(
      String(note?.['message']),
      /^admin token [0-9A-Za-z]+ sent dead letters of siem again: 1 taken/,
    )
  }),
)
