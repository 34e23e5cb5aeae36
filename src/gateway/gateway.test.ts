import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rigForTests } from './harness/gateway-rig.ts'
import { testDeployment, testRoute } from './harness/start-gateway.ts'

const rig = rigForTests(() => ({}))
const chat = (model = 'sandbox') => rig.chat({ model })

test('/livez and /readyz are open, silent about everything else, and unrecorded', async () => {
  for (const path of ['/livez', '/readyz', '/readyz?verbose=1']) {
    const answer = await rig.call(path, { authorized: false })
    assert.deepEqual([answer.status, answer.text], [200, '{"status":"ok"}'])
  }
  assert.equal((await rig.call('/readyz', { method: 'HEAD', authorized: false })).text, '')
  assert.equal((await rig.call('/readyz', { method: 'POST', body: {}, authorized: false })).status, 404)
  assert.equal(rig.started.records.length, 0)
})

test('a snapshot that cannot be compiled is refused whole, and the old one goes on', async () => {
  const { gateway, config } = rig.started
  const version = gateway.snapshotVersion
  const broken = testDeployment({ id: 'x', providerId: 'no-such-provider' })
  const routes = [testRoute('new', ['sandbox'])]
  assert.throws(
    () =>
      gateway.apply({
        type: 'config',
        config: { ...config, version: 9, routes, deployments: [...config.deployments, broken] },
      }),
    /no-such-provider/,
  )
  assert.equal(gateway.snapshotVersion, version)
  assert.equal((await chat()).status, 200)
  assert.equal((await chat('new')).status, 404)
})

test('an exchange under way keeps the configuration that it began with', async () => {
  const { gateway, config } = rig.started
  const messages = [{ role: 'user', content: 'sandbox: delay=150ms\nsandbox: say=late' }]
  const slow = rig.chat({ model: 'sandbox', messages })
  await new Promise((resolve) => setTimeout(resolve, 50))
  gateway.apply({ type: 'config', config: { ...config, version: 3, routes: [], deployments: [] } })
  assert.equal((await chat()).status, 404)
  assert.equal((await slow).status, 200)
  gateway.apply({ type: 'config', config: { ...config, version: 4 } })
})

test('draining: not ready, nothing new is taken, what runs goes on', async () => {
  const messages = [{ role: 'user', content: 'sandbox: delay=150ms\nsandbox: say=late' }]
  const slow = rig.chat({ model: 'sandbox', messages })
  await new Promise((resolve) => setTimeout(resolve, 50))
  rig.started.gateway.startDraining()
  assert.equal((await rig.call('/readyz')).status, 503)
  assert.equal((await rig.call('/livez')).status, 200)
  const refused = await chat()
  assert.deepEqual(
    [refused.status, refused.faultCode, refused.headers['retry-after']],
    [503, 'capacity.not-ready', '1'],
  )
  assert.equal((await slow).status, 200)
  assert.equal(rig.started.gateway.open, 0)
})
