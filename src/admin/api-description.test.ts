import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { withAdmin } from './harness/with-admin.ts'
import { nameSchemas } from './name-schemas.ts'
import { adminTable } from './register.ts'

const golden = new URL('../../docs/reference/openapi.json', import.meta.url)

test(
  'docs/reference/openapi.json says what is served (npm run generate writes it)',
  withAdmin(async ({ app }) => {
    const served = await app.inject({ url: '/api/v1/openapi.json' })
    assert.equal(served.headers['content-type'], 'application/json; charset=utf-8')
    assert.ok(served.body === readFileSync(golden, 'utf8'), 'run npm run generate and review the difference')
  }),
)

test('every operation of the table is described under its name, and nothing else is', () => {
  const { paths } = JSON.parse(readFileSync(golden, 'utf8')) as {
    paths: Record<string, Record<string, { operationId: string }>>
  }
  const described = Object.values(paths).flatMap((methods) =>
    Object.values(methods).map((operation) => operation.operationId),
  )
  assert.deepEqual(described.sort(), adminTable.map((row) => row.name).sort())
})

test('two different schemas under one title are refused', () => {
  const schema = (name: string) => ({
    type: 'object',
    title: 'Thing',
    properties: { [name]: { type: 'string' } },
  })
  assert.throws(
    () => nameSchemas({ a: schema('one'), b: schema('two') }),
    /two different schemas are named Thing/,
  )
  const named = nameSchemas({ a: schema('one'), b: { ...schema('one'), description: 'Other words.' } })
  assert.deepEqual(Object.keys((named as { components: { schemas: object } }).components.schemas), ['Thing'])
})
