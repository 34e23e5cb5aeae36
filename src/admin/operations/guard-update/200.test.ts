import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'what is not said stays; the match is replaced as a whole',
  withAdmin(async (admin) => {
    const body = {
      name: 'a',
      detector: 'secrets',
      action: 'flag',
      rules: ['jwt*', 'json-*'].slice(1),
      match: { keys: ['k'] },
    }
    await admin.call('guard-create', { body })
    const change = { action: 'block', mode: 'shadow', match: { routes: ['gpt'] } }
    const changed = (await admin.call('guard-update', { params: { id: 'a' }, body: change })).body
    assert.deepEqual(
      [changed.action, changed.mode, changed.rules, changed.match.routes, changed.match.keys],
      ['block', 'shadow', ['json-*'], ['gpt'], null],
    )
  }),
)
