import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'the document describes every object, and holds no secret',
  withAdmin(async (admin) => {
    const { document } = (await admin.call('config-export')).body
    for (const part of ['slug: acme', 'slug: shop', 'slug: chat', 'slug: main', 'name: gpt']) {
      assert.ok(document.includes(part), part)
    }
    assert.ok(!/sk-|gwe1|cred_/.test(document))
  }),
)
