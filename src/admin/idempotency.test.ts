import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TestAdmin, withAdmin } from './harness/with-admin.ts'

const under = (key: string) => ({ headers: { 'idempotency-key': key } })
const body = { application: 'shop', name: 'web' }
const replayed = 'x-gatewright-idempotent-replay'

async function countKeys(admin: TestAdmin): Promise<number> {
  return (await admin.call('key-list')).body.items.length
}

test(
  'what was made under a key is shown again and made once, also when the secret is shown this once only',
  withAdmin(async (admin) => {
    const first = await admin.call('key-create', { body, ...under('a') })
    const again = await admin.call('key-create', { body, ...under('a') })
    assert.deepEqual([first.status, again.status, again.body], [201, 201, first.body])
    assert.deepEqual([first.headers[replayed], again.headers[replayed]], [undefined, 'true'])
    assert.equal(await countKeys(admin), 1)

    const params = { id: first.body.key.id }
    const turned = await admin.call('key-rotate', { params, body: {}, ...under('b') })
    const turnedAgain = await admin.call('key-rotate', { params, body: {}, ...under('b') })
    assert.equal(turnedAgain.body.secret, turned.body.secret)

    const order = { body: { name: 'look', scopes: ['read'] }, ...under('c') }
    const token = await admin.call('admin-token-create', order)
    assert.deepEqual((await admin.call('admin-token-create', order)).body, token.body)
  }),
)

test(
  'of many at once one runs, and the others are refused or answered as it was',
  withAdmin(async (admin) => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => admin.call('key-create', { body, ...under('a') })),
    )
    const secrets = new Set(answers.filter(({ status }) => status === 201).map((each) => each.body.secret))
    assert.equal(secrets.size, 1)
    assert.ok(answers.every(({ status }) => status === 201 || status === 409))
    assert.equal(await countKeys(admin), 1)
  }),
)

test(
  'another body, path or operation under the same key is refused, and another token has keys of its own',
  withAdmin(async (admin) => {
    await admin.call('key-create', { body, ...under('a') })
    const mismatch = { status: 422, code: 'idempotency.mismatch' }
    await admin.refuses('key-create', { body: { ...body, name: 'other' }, ...under('a') }, mismatch)
    await admin.refuses('key-create', { body, params: { organization: 'globex' }, ...under('a') }, mismatch)
    await admin.refuses('application-create', { body: { slug: 'x' }, ...under('a') }, mismatch)
    const token = await admin.token(['admin'])
    assert.equal((await admin.call('key-create', { body, token, ...under('a') })).status, 201)
    assert.equal(await countKeys(admin), 2)
  }),
)

test(
  'a request that failed may run again under its key',
  withAdmin(async (admin) => {
    const late = { body: { application: 'later', name: 'web' }, ...under('a') }
    await admin.refuses('key-create', late, { status: 404, code: 'admin.not-found' })
    await admin.call('application-create', { body: { slug: 'later' } })
    assert.equal((await admin.call('key-create', late)).status, 201)
  }),
)

test(
  'a reply is kept for 24 hours',
  withAdmin(async (admin) => {
    await admin.call('key-create', { body, ...under('a') })
    admin.clock.advance(86_400_000 - 1)
    assert.equal((await admin.call('key-create', { body, ...under('a') })).headers[replayed], 'true')
    admin.clock.advance(1)
    assert.equal((await admin.call('key-create', { body, ...under('a') })).headers[replayed], undefined)
    assert.equal(await countKeys(admin), 2)
  }),
)

test(
  'a key that is none is refused by name',
  withAdmin(async (admin) => {
    for (const key of ['', 'a b', 'ä', 'a'.repeat(256)]) {
      const refusal = { status: 400, code: 'request.invalid-field', param: 'idempotency-key' }
      await admin.refuses('key-create', { body, ...under(key) }, refusal)
    }
  }),
)
