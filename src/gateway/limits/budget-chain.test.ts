/** Budgets of an organization, its teams, their applications and keys in one chain: each holds for all below it. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import type { LimitMatch } from '../../domain/limits.ts'
import { compilePeppers, hashApiKey, mintApiKey } from '../../identity/index.ts'
import { type Answer, rigForTests } from '../harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../harness/start-gateway.ts'
import { matchesAll, testLimit } from '../harness/test-limit.ts'

const rig = rigForTests((upstream) => ({
  deployments: [
    testDeployment({ id: 'openai', providerId: 'openai', baseUrl: upstream.url, secrets: { apiKey: 'k' } }),
  ],
  routes: [testRoute('gpt', ['openai'], 'gpt-4o')],
}))

/** Team → application → keys. */
type Person = 'ada' | 'bob' | 'cyd' | 'dan'
const people: Readonly<Record<string, Readonly<Record<string, readonly Person[]>>>> = {
  red: { 'red-web': ['ada', 'bob'], 'red-batch': ['cyd'] },
  blue: { 'blue-web': ['dan'] },
}
const keys = new Map<string, { readonly keyId: string; readonly text: string }>()
let round = 0

const levels = ['organization', 'team', 'application', 'key'] as const
type Level = (typeof levels)[number]
const calendar = { kind: 'calendar', period: 'month', timeZone: 'UTC' } as const

/** Budgets of the chain that ends with `ada`, in tokens. */
function setBudgets(amounts: Readonly<Record<Level, number>>): void {
  const { gateway, config, key } = rig.started
  const match: Readonly<Record<Level, Partial<LimitMatch>>> = {
    organization: {},
    team: { teams: ['red'] },
    application: { applications: ['red-web'] },
    key: { keys: [keys.get('ada')?.keyId ?? ''] },
  }
  const limits = levels.map((level) =>
    testLimit({
      id: `${level}-${round}`,
      name: level,
      meter: 'total-tokens',
      amount: amounts[level],
      window: calendar,
      match: { ...matchesAll, ...match[level] },
    }),
  )
  const applications = Object.entries(people).flatMap(([team, byApplication]) =>
    Object.keys(byApplication).map((id) => ({
      id,
      organizationId: key.organizationId,
      team,
      grants: [{ productId: 'prd_a', models: ['*'], operations: ['*'], planId: null }],
    })),
  )
  gateway.apply({ type: 'config', config: { ...config, limits, applications } })
}

/** Each test has keys and counters of its own. */
beforeEach(() => {
  round += 1
  const { gateway, config, key } = rig.started
  const pepper = compilePeppers(config.peppers).get(1)
  assert.ok(pepper !== undefined)
  const upsert = Object.values(people)
    .flatMap((byApplication) => Object.entries(byApplication))
    .flatMap(([applicationId, names]) =>
      names.map((name) => {
        const { keyId, text } = mintApiKey('test')
        keys.set(name, { keyId, text })
        const secrets = [{ hash: hashApiKey(text, pepper), pepperVersion: 1, expiresAt: null }]
        return { ...key, keyId, applicationId, secrets }
      }),
    )
  gateway.apply({ type: 'keys', version: 1, reset: false, upsert, remove: [] })
})

/** An answer of some 400 tokens. */
function ask(person: Person): Promise<Answer> {
  const body = { max_tokens: 400, messages: [{ role: 'user', content: 'sandbox: tokens=400' }] }
  return rig.chat(body, { authorization: `Bearer ${keys.get(person)?.text}` })
}

async function assertRefused(person: Person, level: Level): Promise<void> {
  const before = rig.upstream.requests.length
  const answer = await ask(person)
  assert.equal(answer.status, 429, answer.text)
  assert.match(answer.message, new RegExp(`\\b${level} on total-tokens`))
  assert.equal(rig.started.records.at(-1)?.refusedBy, level)
  assert.equal(rig.upstream.requests.length, before)
}

async function assertServed(person: Person): Promise<void> {
  const answer = await ask(person)
  assert.equal(answer.status, 200, answer.text)
}

const plenty = { organization: 100_000, team: 100_000, application: 100_000, key: 100_000 }
/** Room for one answer, and not for two. */
const one = 700

test('the key’s budget holds the key alone', async () => {
  setBudgets({ ...plenty, key: one })
  await assertServed('ada')
  await assertRefused('ada', 'key')
  for (const other of ['bob', 'cyd', 'dan'] as const) await assertServed(other)
})

test('the application’s budget is shared by its keys', async () => {
  setBudgets({ ...plenty, application: one })
  await assertServed('bob')
  await assertRefused('ada', 'application')
  await assertRefused('bob', 'application')
  for (const other of ['cyd', 'dan'] as const) await assertServed(other)
})

test('the team’s budget is shared by its applications', async () => {
  setBudgets({ ...plenty, team: one })
  await assertServed('cyd')
  for (const each of ['ada', 'bob', 'cyd'] as const) await assertRefused(each, 'team')
  await assertServed('dan')
})

test('the organization’s budget is shared by its teams', async () => {
  setBudgets({ ...plenty, organization: one })
  await assertServed('dan')
  for (const each of ['ada', 'bob', 'cyd', 'dan'] as const) await assertRefused(each, 'organization')
})

test('one use counts in every budget of the chain, and a refusal by one in none', async () => {
  setBudgets({ organization: 4 * one, team: 3 * one, application: 2 * one, key: one })
  await assertServed('ada')
  for (let each = 0; each < 5; each += 1) await assertRefused('ada', 'key')
  // Had a refusal counted, nothing would be left for those beside and above.
  await assertServed('bob')
  await assertServed('bob')
  await assertRefused('bob', 'application')
  await assertServed('cyd')
  await assertServed('cyd')
  await assertRefused('cyd', 'team')
  await assertServed('dan')
  await assertRefused('dan', 'organization')
})
