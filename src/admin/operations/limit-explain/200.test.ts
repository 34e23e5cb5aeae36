import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleFigures, sampleStanding } from '../../harness/start-admin.ts'
import { withAdmin } from '../../harness/with-admin.ts'

const minute = { amount: 10, window: 'minute' } as const

test(
  'a key is told which limits hold for it, whose they are, and how they stand',
  withAdmin(async (admin) => {
    const make = (name: string, part: object) =>
      admin.call('limit-create', { body: { name, meter: 'requests', ...minute, ...part } })
    await make('everyone', { per: ['organization'] })
    await make('by-user', { per: ['user'] })
    await make('elsewhere', { match: { teams: ['research'], models: ['claude*'] } })
    const month = { calendar: 'month' }
    const limits = [{ name: 'budget', meter: 'cost', amount: 5, window: month, alertsAt: [0.5] }]
    await admin.call('plan-create', { body: { slug: 'team', limits } })
    const subscribed = { application: 'shop', product: 'chat', plan: 'team' }
    const { applicationId, productId, organizationId } = (
      await admin.call('subscription-create', { body: subscribed })
    ).body
    const subject = `${applicationId}|${productId}`
    await admin.call('top-up-create', { body: { plan: 'team', limit: 'budget', subject, amount: 2.5 } })
    const { key } = (await admin.call('key-create', { body: { application: 'shop', name: 'k' } })).body

    const request = { params: { id: key.id }, query: { model: 'gpt-latest', user: 'ada' } }
    const { body } = await admin.call('limit-explain', request)
    assert.deepEqual([body.keyId, body.application, body.team], [key.keyId, 'shop', ''])
    const found = new Map(body.items.map((each) => [each.name, each]))
    assert.deepEqual([...found.keys()].toSorted(), ['budget', 'by-user', 'elsewhere', 'everyone'])
    assert.equal(found.get('everyone')?.subject, organizationId)
    assert.equal(found.get('by-user')?.subject, 'ada')
    assert.deepEqual(
      [found.get('everyone')?.remaining, found.get('everyone')?.resetMs],
      [sampleStanding.remaining, sampleStanding.resetMs],
    )
    assert.deepEqual(found.get('everyone')?.figures, sampleFigures)
    const budget = found.get('budget')
    assert.deepEqual(
      [budget?.plan, budget?.product, budget?.subject, budget?.amount, budget?.amountNow, budget?.remaining],
      ['team', 'chat', subject, 5, 7.5, 0.000007],
    )
    const elsewhere = body.items.at(-1)
    assert.deepEqual(
      [elsewhere?.name, elsewhere?.applies, elsewhere?.mismatches, elsewhere?.remaining],
      ['elsewhere', false, ['teams', 'models'], null],
    )
  }),
)

test(
  'a limit that several subscriptions share is told once, those of each plan apart',
  withAdmin(async (admin) => {
    await admin.call('limit-create', { body: { name: 'all', meter: 'requests', ...minute } })
    const limits = [{ name: 'rate', meter: 'requests', ...minute }]
    await admin.call('plan-create', { body: { slug: 'team', limits } })
    const product = { slug: 'images', state: 'published', operations: ['*'], models: ['image-*'] }
    await admin.call('product-create', { body: product })
    for (const slug of ['chat', 'images']) {
      const body = { application: 'shop', product: slug, plan: 'team' }
      await admin.call('subscription-create', { body })
    }
    const { key } = (await admin.call('key-create', { body: { application: 'shop', name: 'k' } })).body
    const explain = async (query: Record<string, string>) =>
      (await admin.call('limit-explain', { params: { id: key.keyId }, query })).body.items
        .map(({ name, product: of }) => `${name} ${of ?? '-'}`)
        .toSorted()
    assert.deepEqual(await explain({}), ['all -', 'rate chat', 'rate images'])
    assert.deepEqual(await explain({ model: 'gpt' }), ['all -', 'rate chat'])
  }),
)
