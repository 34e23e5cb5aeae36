import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TestAdmin, withAdmin } from '../../harness/with-admin.ts'

async function explain(admin: TestAdmin, id: string, query: Record<string, string | number>) {
  return (await admin.call('policy-explain', { params: { id }, query })).body
}

async function subscribedKey(admin: TestAdmin): Promise<string> {
  const subscription = { application: 'shop', product: 'chat' }
  await admin.call('product-update', { params: { id: 'chat' }, body: { state: 'published' } })
  await admin.call('subscription-create', { body: subscription })
  return (await admin.call('key-create', { body: { application: 'shop', name: 'k' } })).body.key.keyId
}

const call = { operation: 'chat.completions', model: 'gpt' }

test(
  'a call is explained by key and subscription, and by each policy once there is one',
  withAdmin(async (admin) => {
    const id = await subscribedKey(admin)
    const before = await explain(admin, id, call)
    assert.deepEqual([before.isAllowed, before.hasPolicies, before.policies], [true, false, []])
    const own = 'permit (principal in Application::"shop", action, resource in Product::"chat");'
    const away = 'forbid (principal, action, resource) unless { context.ip.isInRange(ip("10.0.0.0/8")) };'
    await admin.call('policy-create', { body: { slug: 'own', cedar: own } })
    await admin.call('policy-create', { body: { slug: 'away', cedar: away } })
    const denied = await explain(admin, id, call)
    assert.equal(denied.isAllowed, false)
    assert.deepEqual(denied.policies.map(({ policy, outcome }) => `${policy} ${outcome}`).sort(), [
      'away holds',
      'own holds',
    ])
    assert.equal(denied.policies.find(({ policy }) => policy === 'away')?.turnsDecision, true)
    assert.equal((await explain(admin, id, { ...call, address: '10.1.1.1' })).isAllowed, true)
  }),
)

test(
  'a question that no call could ask is refused by its field',
  withAdmin(async (admin) => {
    const id = await subscribedKey(admin)
    const cases: readonly (readonly [Record<string, string>, string])[] = [
      [{ operation: 'fly' }, 'operation'],
      [{ operation: 'chat.completions' }, 'model'],
      [{ operation: 'models.list', model: 'gpt' }, 'model'],
    ]
    for (const [query, param] of cases) {
      const expected = { status: 400, code: 'request.invalid-field', param }
      await admin.refuses('policy-explain', { params: { id }, query }, expected)
    }
  }),
)
