import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'every row says what a deployment of it needs',
  withAdmin(async (admin) => {
    const { items } = (await admin.call('provider-list')).body
    const byId = new Map(items.map((row) => [row.id, row]))
    for (const id of ['openai', 'anthropic', 'gemini', 'ollama']) assert.ok(byId.has(id), id)
    const anthropic = byId.get('anthropic')
    assert.deepEqual([anthropic?.credentialFields, anthropic?.dialect], [['apiKey'], 'anthropic-messages'])
  }),
)
