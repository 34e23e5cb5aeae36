import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

const day = 86_400_000

test(
  'a key that breaks the policy of its organization or application is refused, and told what to do',
  withAdmin(async (admin) => {
    await admin.call('organization-update', { body: { keyPolicy: { maxLifetimeDays: 30 } } })
    await admin.call('application-update', {
      params: { id: 'shop' },
      body: { keyPolicy: { networks: 'required' } },
    })
    const create = (own: object) => ({ body: { application: 'shop', name: 'web', ...own } })
    const refused = { status: 422, code: 'admin.key-policy' }
    const now = admin.clock.now()
    const endless = await admin.refuses('key-create', create({}), { ...refused, param: 'expiresAt' })
    assert.match(endless.body.error.message, /an end, at the latest 30 days after/)
    const tooLong = create({ expiresAt: now + 30 * day + 1, cidrs: ['10.0.0.0/8'] })
    await admin.refuses('key-create', tooLong, { ...refused, param: 'expiresAt' })
    const anywhere = create({ expiresAt: now + day })
    await admin.refuses('key-create', anywhere, { ...refused, param: 'cidrs' })
    assert.deepEqual((await admin.call('key-list')).body.items, [])
    const kept = create({ expiresAt: now + 30 * day, cidrs: ['10.0.0.0/8'] })
    assert.equal((await admin.call('key-create', kept)).status, 201)
  }),
)
