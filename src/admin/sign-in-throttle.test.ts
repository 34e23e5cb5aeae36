/** Guesses at admin tokens: counted by client and in all, over nodes, and never held against anybody else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryCounterStore } from '../adapters/memory/memory-central-counters.ts'
import { faults } from '../faults/catalogue.ts'
import { mintAdminToken } from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { CentralCounters } from '../ports/central-counters.ts'
import { withAdmin } from './harness/with-admin.ts'
import { createSignInThrottle, type SignInThrottle } from './sign-in-throttle.ts'

const unauthenticated = { status: 401, code: 'admin.unauthenticated' }
const refused = { status: 429, code: 'admin.too-many-sign-ins' }
const guess = () => mintAdminToken().text

test(
  '401 for ten wrong tokens of one client, then 429 with Retry-After, until a minute has passed',
  withAdmin(async (admin) => {
    for (let tries = 0; tries < 10; tries += 1) {
      await admin.refuses('organization-list', { token: guess() }, unauthenticated)
    }
    const answer = await admin.refuses('organization-list', { token: guess() }, refused)
    assert.equal(answer.headers['retry-after'], '60')
    admin.clock.advance(59_000)
    await admin.refuses('organization-list', { token: guess() }, refused)
    admin.clock.advance(1000)
    await admin.refuses('organization-list', { token: guess() }, unauthenticated)
    await admin.refuses('organization-list', { token: guess() }, refused)
  }),
)

test(
  'a right token works from everywhere while another client guesses, and where it worked before also from there',
  withAdmin(async (admin) => {
    const fresh = await admin.token(['admin'])
    const from = { address: '2001:db8:0:1::1' }
    assert.equal((await admin.call('organization-list', from)).status, 200)
    for (let tries = 0; tries < 20; tries += 1) {
      await admin.call('organization-list', { ...from, token: guess() })
    }
    // The /64 is one client.
    await admin.refuses('organization-list', { address: '2001:db8:0:1::2', token: fresh }, refused)
    assert.equal((await admin.call('organization-list', from)).status, 200)
    assert.equal(
      (await admin.call('organization-list', { address: '2001:db8:0:2::1', token: fresh })).status,
      200,
    )
    assert.equal((await admin.call('organization-list', { ...from, token: fresh })).status, 200)
  }),
)

test(
  'what cannot be a token is not counted, and a token that was right is checked each time',
  withAdmin(async (admin) => {
    for (let tries = 0; tries < 20; tries += 1) {
      await admin.refuses('organization-list', { token: 'gwa_short' }, unauthenticated)
      await admin.refuses('organization-list', { token: null }, unauthenticated)
    }
    const made = (await admin.call('admin-token-create', { body: { name: 'x', scopes: ['admin'] } })).body
    const token = made.secret
    assert.equal((await admin.call('organization-list', { token })).status, 200)
    for (let tries = 0; tries < 11; tries += 1) await admin.call('organization-list', { token: guess() })
    await admin.call('admin-token-revoke', { params: { id: made.adminToken.id } })
    await admin.refuses('organization-list', { token }, refused)
    admin.clock.advance(60_000)
    await admin.refuses('organization-list', { token }, unauthenticated)
  }),
)

const start = Date.UTC(2026, 0, 15)
const clock = { now: () => start, monotonic: () => 0 }
const openLocal = () => createMemoryCounterStore({ now: clock.now, ttlMs: 1000 }).open('local')
const broken: Pick<CentralCounters, 'take'> = { take: () => Promise.reject(new Error('no connection')) }

/** Failures that were answered as they were, before the first that was one too many. */
async function triesOf(throttle: SignInThrottle, addressOf: (tries: number) => string): Promise<number> {
  for (let tries = 0; ; tries += 1) {
    try {
      throttle.admit(addressOf(tries), 'wrong')
      await throttle.failed(addressOf(tries))
    } catch (error) {
      assert.ok(error instanceof Fault && error.definition === faults.tooManySignIns)
      return tries
    }
  }
}

test('nodes that share counters count a client together; without them each node counts for itself', async () => {
  const store = createMemoryCounterStore({ now: clock.now, ttlMs: 1000 })
  const throttleOf = (shared: Pick<CentralCounters, 'take'> | null) =>
    createSignInThrottle({ shared, local: openLocal(), clock })
  const [one, two] = [throttleOf(store.open('one')), throttleOf(store.open('two'))]
  const from = () => '192.0.2.1'
  for (let tries = 0; tries < 6; tries += 1) await one.failed(from())
  assert.equal(await triesOf(two, from), 4)
  assert.equal(await triesOf(one, from), 0)
  assert.equal(await triesOf(throttleOf(broken), from), 10)
  assert.equal(await triesOf(throttleOf(null), from), 10)
})

test('failures from very many clients are refused in all, and no client is locked out for them', async () => {
  const refusals: string[] = []
  const throttle = createSignInThrottle({
    shared: null,
    local: openLocal(),
    clock,
    onRefusal: (client) => refusals.push(client),
  })
  assert.equal(await triesOf(throttle, (tries) => `10.1.${tries >> 8}.${tries & 255}`), 1000)
  assert.deepEqual(refusals, [])
  throttle.admit('10.1.0.0', 'anything')
})

test('where nobody can count, a client that failed is refused', async () => {
  const throttle = createSignInThrottle({ shared: broken, local: broken, clock })
  assert.equal(await triesOf(throttle, () => '192.0.2.1'), 0)
  assert.throws(() => throttle.admit('192.0.2.1', 'anything'), Fault)
})
