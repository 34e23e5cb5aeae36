import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import { createDocumentManager } from './apply-document.ts'

const document = `
organizations: [{ slug: acme }]
applications: [{ slug: shop }]
tokenIssuers:
  - name: corporate
    issuer: https://login.example.com
    audiences: [https://llm.example.com]
    application: { claim: azp, values: { client-7: shop } }
    requiredClaims: { tid: [acme] }
    scopes: [{ scope: llm.use, models: ['*'], operations: [chat.completions] }]
  - name: opaque
    issuer: https://other.example.com
    audiences: []
    application: { slug: shop }
    introspection: { endpoint: https://other.example.com/introspect, clientId: gateway, tokenPrefix: op_ }
    credential: { clientSecret: env:INTROSPECTION_SECRET }
`

test('a document makes token issuers, its export makes the same, and a mistake names its place', async (t) => {
  const { store, close } = await openSqliteStore({ path: ':memory:' })
  t.after(close)
  const clock = { now: () => 1, monotonic: () => 1 }
  const documents = createDocumentManager({ store, clock, fileManaged: () => false })
  const done = (await documents.apply(document)).map(({ action, noun, name }) => `${action} ${noun} ${name}`)
  assert.ok(done.includes('create token issuer corporate') && done.includes('create token issuer opaque'))
  assert.deepEqual(await documents.apply(await documents.export()), [])
  const changed = await documents.apply(document.replace('tid: [acme]', 'tid: [globex]'))
  assert.deepEqual(
    changed.map(({ name, fields }) => [name, fields]),
    [['corporate', ['terms']]],
  )
  const wrong = document.replace('claim: azp', 'claim: azp, slug: shop')
  await assert.rejects(documents.apply(wrong), /tokenIssuers\[0\]\.application/)
})
