import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAdminApi } from '../../admin/create-admin-api.ts'
import { startAdmin } from '../../admin/harness/start-admin.ts'
import { issueAdminToken } from '../../admin/issue-admin-token.ts'
import { createLiveHub, eventsOfRecord } from '../../events/index.ts'
import { sampleRecord } from '../../usage/sample-record.ts'
import { runCli } from '../create-program.ts'

const newHub = (maxSubscribers = 4) => createLiveHub({ monotonic: () => performance.now(), maxSubscribers })

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!condition() && Date.now() < deadline) await sleep(5)
  assert.ok(condition())
}

test('a tail comes back to a control plane that started anew, says that some may be missing, and ends with its token', async (t) => {
  const first = newHub()
  const admin = await startAdmin({ live: first })
  t.after(() => admin.stop())
  const { deps } = admin
  const order = { name: 'test', scopes: ['admin'], organizationId: null, expiresAt: null } as const
  const { secret, adminToken } = await issueAdminToken(deps, { ...order, managedBy: 'setup' })
  const url = await admin.app.listen({ host: '127.0.0.1', port: 0 })
  const out: string[] = []
  const err: string[] = []
  const publish = (hub: typeof first, number: number): void => {
    for (const event of eventsOfRecord(sampleRecord(number))) hub.publish(event)
  }
  const ended = runCli(['tail', '--json'], {
    environment: { GATEWRIGHT_URL: url, GATEWRIGHT_TOKEN: secret },
    directory: '.',
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    readInput: () => Promise.resolve(''),
    now: Date.now,
  })
  await until(() => first.isWatched())
  publish(first, 1)
  await until(() => out.length === 1)

  // The control plane ends, and starts anew with a hub that knows nothing of the one before, and has no place at first.
  first.close()
  await admin.app.close()
  const full = newHub(0)
  const busy = await createAdminApi({ ...deps, live: full })
  const { port } = new URL(url)
  await busy.listen({ host: '127.0.0.1', port: Number(port) })
  await until(() => err.length === 2)
  await busy.close()
  const second = newHub()
  const again = await createAdminApi({ ...deps, live: second })
  t.after(async () => {
    second.close()
    await again.close()
  })
  await again.listen({ host: '127.0.0.1', port: Number(port) })
  await until(() => second.isWatched())
  publish(second, 2)
  await until(() => out.length === 2)
  const ids = out.map((line) => (JSON.parse(line) as { id: string }).id)
  assert.deepEqual(ids, [sampleRecord(1).id, sampleRecord(2).id])
  assert.equal(err.at(-1), '… some events may be missing here: the control plane started anew meanwhile\n')
  const tries = err.slice(0, -1)
  assert.deepEqual(new Set(tries), new Set(['… the connection ended; trying again\n']))

  await deps.store.adminTokens.update(null, adminToken.id, { patch: { revokedAt: 1 }, now: 2 })
  assert.equal(await ended, 4)
})
