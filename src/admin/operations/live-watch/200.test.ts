import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { readServerSentEvents, type ServerSentEvent } from '../../../cli/read-server-sent-events.ts'
import type { AdminScope } from '../../../domain/entities.ts'
import type { OversightEvent } from '../../../domain/oversight-event.ts'
import type { UsageRecord } from '../../../domain/usage.ts'
import { createLiveHub, eventsOfRecord } from '../../../events/index.ts'
import { sampleRecord } from '../../../usage/sample-record.ts'
import { startAdmin } from '../../harness/start-admin.ts'
import { issueAdminToken } from '../../issue-admin-token.ts'

async function start(t: TestContext) {
  const live = createLiveHub({ monotonic: () => performance.now(), maxSubscribers: 2 })
  const admin = await startAdmin({ live })
  const url = await admin.app.listen({ host: '127.0.0.1', port: 0 })
  const readers = new AbortController()
  t.after(async () => {
    readers.abort()
    live.close()
    await admin.stop()
  })
  const { store } = admin.deps
  const made = { managedBy: 'api', createdAt: 1, updatedAt: 1 } as const
  for (const slug of ['acme', 'globex'])
    await store.organizations.create({
      ...made,
      id: `org_${slug.padEnd(22, '0')}`,
      slug,
      name: slug,
      keyPolicy: {},
    })
  const token = (scopes: readonly AdminScope[], organizationId: string | null) =>
    issueAdminToken(admin.deps, { name: 'test', scopes, organizationId, expiresAt: null, managedBy: 'setup' })
  const watch = async (secret: string, query = '', headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(`${url}/api/v1/live?${query}`, {
      headers: { ...headers, authorization: `Bearer ${secret}` },
      signal: readers.signal,
    })
    const body = response.body
    assert.ok(body !== null)
    return { response, events: readServerSentEvents(body)[Symbol.asyncIterator]() }
  }
  const publish = (number: number, changes: Partial<UsageRecord> = {}): void => {
    for (const event of eventsOfRecord(sampleRecord(number, { organizationId: acme, ...changes })))
      live.publish(event)
  }
  return { admin, token, watch, publish }
}

const acme = `org_${'acme'.padEnd(22, '0')}`
const globex = `org_${'globex'.padEnd(22, '0')}`

async function nextOf(events: AsyncIterator<ServerSentEvent>) {
  const { value } = (await events.next()) as { value: ServerSentEvent }
  return { ...value, event: JSON.parse(value.data) as OversightEvent }
}

test('a token of one organization sees its events alone, and persons as pseudonyms', async (t) => {
  const { token, watch, publish } = await start(t)
  const { response, events } = await watch((await token(['read'], acme)).secret)
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  assert.equal(response.headers.get('content-disposition'), null)
  publish(1, { organizationId: globex })
  publish(2, { organizationId: '' })
  publish(3, { endUser: 'ada@example.com' })
  const { event, data } = await nextOf(events)
  assert.equal(event.organizationId, acme)
  assert.ok(!data.includes('ada@example.com'))
  const crossing = await watch((await token(['read'], acme)).secret, 'organization=globex')
  assert.equal(crossing.response.status, 404)
})

test('an administrator of all sees persons; filters divide', async (t) => {
  const { token, watch, publish } = await start(t)
  const { secret } = await token(['admin'], null)
  const { events } = await watch(secret, 'organization=globex&stream=security&severity=low&outcome=failure')
  publish(1, { organizationId: globex })
  publish(2, { organizationId: acme, outcome: 'refused', fault: 'limits.requests', status: 429 })
  publish(3, { organizationId: globex, outcome: 'refused', fault: 'limits.requests', status: 429 })
  const { event } = await nextOf(events)
  assert.deepEqual(
    [event.stream, event.organizationId, event.reason, event.actor.endUser],
    ['security', globex, 'limits.requests', 'user-1'],
  )
})

test('Last-Event-ID goes on where the reader was', async (t) => {
  const { token, watch, publish } = await start(t)
  const { secret } = await token(['read'], null)
  const first = await watch(secret)
  for (let number = 1; number < 4; number += 1) publish(number)
  const { id } = await nextOf(first.events)
  const again = await watch(secret, '', { 'last-event-id': id })
  assert.equal((await nextOf(again.events)).event.id, sampleRecord(2).id)
  const full = await watch(secret)
  assert.equal(full.response.status, 429)
})

test('a revoked token sees nothing more: the stream ends', async (t) => {
  const { admin, token, watch } = await start(t)
  const { secret, adminToken } = await token(['read'], acme)
  const { events } = await watch(secret)
  const { adminTokens } = admin.deps.store
  await adminTokens.update(acme, adminToken.id, { patch: { revokedAt: 1 }, now: 2 })
  const { type, data } = await nextOf(events)
  assert.deepEqual([type, JSON.parse(data)], ['end', { reason: 'token' }])
  assert.equal((await events.next()).done, true)
})
