import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonValue } from '../domain/json.ts'
import { operations } from '../domain/operations.ts'
import type { OrganizationPolicySnapshot } from '../domain/snapshot.ts'
import { explainCall } from './explain.ts'
import { type Call, compileOrganizationPolicies } from './organization-policies.ts'
import { requirePolicy } from './policy-text.ts'
import { actions } from './schema.ts'

const call: Call = {
  keyId: 'k1',
  environment: 'live',
  isToken: false,
  applicationId: 'app_1',
  operation: 'chat.completions',
  model: { route: 'gpt', asked: 'gpt-alias', productId: 'prd_1' },
  address: '::ffff:10.1.2.3',
  // A Saturday, 23:30 UTC.
  now: Date.UTC(2026, 10, 28, 23, 30),
}

function snapshotOf(policies: Readonly<Record<string, string>>): OrganizationPolicySnapshot {
  return {
    organizationId: 'org_1',
    organization: 'acme',
    policies: Object.entries(policies).map(([name, text]) => ({
      name,
      json: requirePolicy({ name, text }) as unknown as JsonValue,
    })),
    applications: [{ id: 'app_1', slug: 'shop', team: 'retail' }],
    products: [{ id: 'prd_1', slug: 'chat' }],
  }
}

function decide(policies: Readonly<Record<string, string>>, own: Partial<Call> = {}) {
  return compileOrganizationPolicies(snapshotOf(policies)).decide({ ...call, ...own })
}

const everything = 'permit (principal, action, resource);'

test('nothing is allowed that no policy permits, and a forbid outweighs all permits', () => {
  const none = decide({ other: 'permit (principal in Application::"bot", action, resource);' })
  assert.deepEqual(none, { isAllowed: false, policies: [], errors: [] })
  assert.deepEqual(decide({ all: everything }).policies, ['all'])
  const no = 'forbid (principal, action, resource == ModelRoute::"gpt");'
  assert.deepEqual(decide({ all: everything, no }), { isAllowed: false, policies: ['no'], errors: [] })
})

test('what the schema publishes holds what a call has', () => {
  const conditions = [
    'principal == Key::"k1" && principal.environment == "live"',
    'principal.application == Application::"shop" && principal.application.team == "retail"',
    'principal in Team::"retail" && principal in Organization::"acme"',
    'resource == ModelRoute::"gpt" && resource in Product::"chat"',
    'context has model && context.model like "gpt-*"',
    'context.ip.isInRange(ip("10.0.0.0/8")) && context.ip.isIpv4()',
    'context.time.weekday == 6 && context.time.hour == 23 && context.time.minute == 30',
    'context.authentication.method == "api-key" && context.authentication.strength < 2',
    'action in Action::"generate" && !(context has country)',
  ]
  for (const condition of conditions) {
    const policy = `permit (principal, action == Action::"chat.completions", resource) when { ${condition} };`
    assert.equal(decide({ policy }).isAllowed, true, condition)
  }
})

test('every operation of the data plane is an action that a policy can name', () => {
  assert.deepEqual(
    [...actions.keys()],
    operations.map(({ id }) => id),
  )
  for (const { id, model } of operations) {
    const action = `permit (principal, action == Action::${JSON.stringify(id)}, resource);`
    const own = model === 'none' ? { operation: id, model: null } : { operation: id }
    assert.equal(decide({ action }, own).isAllowed, true, id)
  }
})

test('what the schema does not know, or what can never hold, is refused with the reason', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['permit (principal, action == Action::"chat.complete", resource);', /chat\.complete/],
    ['permit (principal in Group::"x", action, resource);', /Group/],
    ['permit (principal, action, resource) when { context.country == "DE" };', /country/],
    ['permit (principal, action, resource) when { context.time.hour == "9" };', /./],
    ['permit (principal == Application::"shop", action, resource);', /impossible|never/],
    [`${everything} ${everything}`, /./],
    ['permit (principal == ?principal, action, resource);', /./],
    ['allow everything', /./],
  ]
  for (const [text, reason] of refused)
    assert.throws(
      () => requirePolicy({ name: 'p', text }),
      (error: Error) => reason.test(error.message),
      text,
    )
})

test('what is not compiled is decided by the engine, with the same answer', () => {
  const late = 'forbid (principal, action, resource) when { context.time.hour + 1 > 23 };'
  const policies = compileOrganizationPolicies(snapshotOf({ all: everything, late }))
  assert.equal(policies.isCompiled, false)
  assert.deepEqual(policies.decide(call), { isAllowed: false, policies: ['late'], errors: [] })
  assert.equal(policies.decide({ ...call, now: Date.UTC(2026, 10, 28, 9) }).isAllowed, true)
  assert.equal(compileOrganizationPolicies(snapshotOf({ all: everything })).isCompiled, true)
})

test('a call of which something cannot be told is denied', () => {
  for (const own of [{ address: 'nowhere' }, { applicationId: 'app_2' }, { operation: 'unknown' }])
    assert.equal(decide({ all: everything }, own).isAllowed, false)
})

test('an explanation says of each policy what it does, and which would turn the decision', () => {
  const snapshot = snapshotOf({
    all: everything,
    night: 'forbid (principal, action, resource) when { context.time.hour >= 22 };',
    day: 'forbid (principal, action, resource) when { context.time.hour < 6 };',
    bots: 'forbid (principal in Application::"bot", action, resource);',
  })
  const rows = explainCall(snapshot, call).policies.map(({ policy, outcome, turnsDecision }) =>
    [policy, outcome, turnsDecision].join(' '),
  )
  assert.deepEqual(rows, [
    'all holds false',
    'night holds true',
    'day condition-not-met false',
    'bots elsewhere false',
  ])
  assert.equal(explainCall(snapshot, { ...call, now: Date.UTC(2026, 10, 28, 9) }).isAllowed, true)
})
