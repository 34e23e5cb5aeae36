/** Both endpoints on the admin API with its real store; GitHub's list of keys comes from a real server. */
import assert from 'node:assert/strict'
import { createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createHttp1Client } from '../../adapters/http1/client.ts'
import type { LeakReportsConfig } from '../../config/index.ts'
import { createEgressGuard } from '../../egress/index.ts'
import { mintAdminToken, mintApiKey, mintApiKeySecret } from '../../identity/index.ts'
import { type StartedAdmin, startAdmin } from '../harness/start-admin.ts'
import { issueAdminToken } from '../issue-admin-token.ts'
import { makeKey } from '../secrets.ts'

const ecPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pemOf = (key: KeyObject): string => String(key.export({ type: 'spki', format: 'pem' }))
const github = ecPair()
const url = 'https://github.test/acme/shop/blob/1/config.yaml'

async function start(t: TestContext, config: Partial<LeakReportsConfig>): Promise<StartedAdmin> {
  const client = createHttp1Client({ egress: createEgressGuard() })
  const settings = () => ({ reporters: [], ...config })
  const admin = await startAdmin({ leakReports: { settings, readReference: () => 'shared', client } })
  t.after(async () => {
    client.close()
    await admin.stop()
  })
  return admin
}

const knownKey = {
  github: {
    publicKeys: [{ id: 'k1', key: pemOf(github.publicKey) }],
    publicKeysUrl: null,
    allowPrivateNetwork: false,
  },
}

/** A key of one more organization; returns its text and how to read it. */
async function addKey({ deps }: StartedAdmin) {
  const now = deps.clock.now()
  const made = { createdAt: now, updatedAt: now, managedBy: 'api', keyPolicy: {} } as const
  const owner = { organizationId: 'org_a', slug: 'shop', name: 'shop', description: '', team: '' }
  if ((await deps.store.organizations.get('org_a')) === null) {
    await deps.store.organizations.create({ ...made, id: 'org_a', slug: 'a', name: 'a' })
    await deps.store.applications.create({ ...made, ...owner, id: 'app_a' })
  }
  const { text, keyId, secret } = makeKey('live', { peppers: deps.peppers(), now })
  await deps.store.keys.create(
    {
      ...{ id: `key_${keyId}`, createdAt: now, updatedAt: now, managedBy: 'api', keyId, name: 'web' },
      ...{ organizationId: 'org_a', applicationId: 'app_a', environment: 'live', state: 'active' },
      ...{ models: null, operations: null, cidrs: [], expiresAt: null, lastUsedAt: null },
      ...{ revokedAt: null, quarantine: null, leaks: [] },
    },
    [secret],
  )
  const read = async () => (await deps.store.keys.findByKeyId(keyId))?.key
  return { text, keyId, id: `key_${keyId}`, read }
}

const reportOf = (...tokens: readonly string[]): string =>
  JSON.stringify(tokens.map((token) => ({ token, type: 'gatewright_key', url, source: 'content' })))

function fromGithub(admin: StartedAdmin, body: string, own: { id?: string; signature?: string } = {}) {
  const { id = 'k1', signature = sign('sha256', Buffer.from(body), github.privateKey).toString('base64') } =
    own
  const headers = {
    'content-type': 'application/json',
    'github-public-key-identifier': id,
    'github-public-key-signature': signature,
  }
  return admin.app.inject({ method: 'POST', url: '/leak-reports/github', headers, payload: body })
}

const hash = (token: string): string => createHash('sha256').update(token).digest('hex')
const answered = (token: string, label: string) => ({
  token_hash: hash(token),
  token_type: 'gatewright_key',
  label,
})

test('a live key that GitHub reports is held, its owner told where it was seen, and GitHub what was real', async (t) => {
  const admin = await start(t, knownKey)
  const key = await addKey(admin)
  const wrong = mintApiKeySecret('live', key.keyId)
  const unknown = mintApiKey('live').text
  const reply = await fromGithub(admin, reportOf(wrong, unknown, 'junk', key.text))
  assert.equal(reply.statusCode, 200, reply.body)
  assert.deepEqual(reply.json(), [
    ...[wrong, unknown, 'junk'].map((token) => answered(token, 'false_positive')),
    answered(key.text, 'true_positive'),
  ])
  const held = await key.read()
  assert.deepEqual([held?.state, held?.quarantine?.reason], ['quarantined', 'leaked'])
  assert.deepEqual(
    held?.leaks.map(({ reporter, url: seen, source }) => [reporter, seen, source]),
    [['github', url, 'content']],
  )
  assert.deepEqual(
    admin.told.map(({ action, subject }) => [action, subject.id, subject.applicationId]),
    [['key.leak', key.id, 'app_a']],
  )
  assert.ok(!JSON.stringify([held, admin.told, admin.recorded, admin.logged]).includes(key.text.slice(22)))
})

test('the same report again does not hold a key that was released; another place does', async (t) => {
  const admin = await start(t, knownKey)
  const key = await addKey(admin)
  const body = reportOf(key.text)
  await fromGithub(admin, body)
  const release = async () => {
    const { updatedAt } = (await key.read()) ?? { updatedAt: 0 }
    const patch = { state: 'active', quarantine: null } as const
    await admin.deps.store.keys.update('org_a', key.id, { patch, now: updatedAt + 1 })
  }
  await release()
  // ECDSA signs the same bytes anew with another signature: the report is what counts.
  const again = await fromGithub(admin, body)
  assert.deepEqual(again.json(), [answered(key.text, 'true_positive')])
  assert.equal((await key.read())?.state, 'active')
  assert.equal(admin.told.length, 1)
  await fromGithub(admin, body.replace('config.yaml', 'other.yaml'))
  assert.deepEqual([(await key.read())?.state, (await key.read())?.leaks.length], ['quarantined', 2])
})

test('of a key that is over, or a secret that was rotated out, it is said that it was real; nothing is held', async (t) => {
  const admin = await start(t, knownKey)
  const { store, clock } = admin.deps
  const [revoked, rotated] = [await addKey(admin), await addKey(admin)]
  await store.keys.update('org_a', revoked.id, {
    patch: { state: 'revoked', revokedAt: 1 },
    now: clock.now(),
  })
  const [secret] = await store.keys.secrets('org_a', rotated.id)
  assert.ok(secret)
  const secrets = [{ ...secret, expiresAt: clock.now() }]
  await store.keys.setSecrets('org_a', rotated.id, { secrets, now: clock.now() })
  const reply = await fromGithub(admin, reportOf(revoked.text, rotated.text))
  assert.deepEqual(reply.json(), [
    answered(revoked.text, 'true_positive'),
    answered(rotated.text, 'true_positive'),
  ])
  assert.deepEqual([(await revoked.read())?.state, (await rotated.read())?.state], ['revoked', 'active'])
  assert.equal(admin.told.length, 0)
})

test('an admin token that leaked is revoked', async (t) => {
  const admin = await start(t, knownKey)
  const order = {
    name: 'x',
    scopes: ['admin'],
    organizationId: null,
    expiresAt: null,
    managedBy: 'api',
  } as const
  const issued = await issueAdminToken(admin.deps, order)
  const reply = await fromGithub(admin, reportOf(issued.secret, mintAdminToken().text))
  assert.deepEqual(
    (reply.json() as { label: string }[]).map(({ label }) => label),
    ['true_positive', 'false_positive'],
  )
  const headers = { authorization: `Bearer ${issued.secret}` }
  const refused = await admin.app.inject({ method: 'GET', url: '/api/v1/status', headers })
  assert.equal(refused.statusCode, 401)
  assert.equal(admin.told[0]?.action, 'admin-token.leak')
})

test('who did not sign learns nothing: one answer for a real key and an unknown one, and nothing is held', async (t) => {
  const admin = await start(t, knownKey)
  const key = await addKey(admin)
  const stranger = ecPair().privateKey
  const withoutId = (text: string) => text.replace(/req_\w+/g, '')
  const answers = new Set<string>()
  for (const token of [key.text, mintApiKey('live').text, 'junk']) {
    const body = reportOf(token)
    const signature = sign('sha256', Buffer.from(body), stranger).toString('base64')
    const good = sign('sha256', Buffer.from(`${body} `), github.privateKey).toString('base64')
    for (const own of [{ signature }, { signature: good }, { id: 'other' }, { signature: '' }, { id: '' }]) {
      const reply = await fromGithub(admin, body, own)
      assert.equal(reply.statusCode, 401)
      assert.equal(reply.json().error.code, 'admin.leak-report-unsigned')
      answers.add(withoutId(reply.body))
    }
  }
  assert.equal(answers.size, 1)
  assert.equal((await key.read())?.state, 'active')
})

test('signed nonsense is refused; what is too large is not read; without configuration there is no such address', async (t) => {
  const admin = await start(t, knownKey)
  for (const body of ['{', '{}', 'null', '"x"'])
    assert.equal((await fromGithub(admin, body)).statusCode, 400, body)
  assert.deepEqual((await fromGithub(admin, '[null, 1, {}]')).json().length, 3)
  const large = `[${' '.repeat(1_048_577)}]`
  assert.equal((await fromGithub(admin, large)).statusCode, 413)
  const others = {
    method: 'POST',
    url: '/leak-reports',
    headers: { 'content-type': 'application/json' },
  } as const
  assert.equal((await admin.app.inject({ ...others, payload: '[]' })).statusCode, 404)
})

test("GitHub's keys are fetched for an id that is not known, at most once a minute, and stay while the list is away", async (t) => {
  let asked = 0
  let isAway = false
  const list = { public_keys: [{ key_identifier: 'k9', key: pemOf(github.publicKey), is_current: true }] }
  const server = createServer((_request, response) => {
    asked += 1
    if (isAway) response.writeHead(503).end()
    else response.end(JSON.stringify(list))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const publicKeysUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  const admin = await start(t, { github: { publicKeys: [], publicKeysUrl, allowPrivateNetwork: true } })
  const ask = async (id: string) => (await fromGithub(admin, '[]', { id })).statusCode
  assert.deepEqual(await Promise.all([ask('k9'), ask('k9')]), [200, 200])
  assert.equal(asked, 1)
  for (let at = 0; at < 20; at += 1) assert.equal(await ask(`made-up-${at}`), 401)
  assert.equal(asked, 1)
  isAway = true
  admin.clock.advance(61_000)
  assert.deepEqual([await ask('made-up'), await ask('k9'), asked], [401, 200, 2])
})

test('others report with a shared secret or an Ed25519 key, within five minutes, and are told nothing of the tokens', async (t) => {
  const pair = generateKeyPairSync('ed25519')
  const reporters = [
    { name: 'ci', secret: 'env:CI' },
    { name: 'intel', publicKey: pemOf(pair.publicKey) },
  ]
  const admin = await start(t, { reporters })
  const [first, second] = [await addKey(admin), await addKey(admin)]
  const now = Math.floor(admin.clock.now() / 1000)
  const send = (reporter: string, signature: string, payload: string) =>
    admin.app.inject({
      method: 'POST',
      url: '/leak-reports',
      payload,
      headers: {
        'content-type': 'application/json',
        'x-gatewright-reporter': reporter,
        'x-gatewright-signature': signature,
      },
    })
  const hmac = (body: string, seconds: number, secret = 'shared') =>
    `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`
  const edward = (body: string, seconds: number) =>
    `t=${seconds},ed25519=${sign(null, Buffer.from(`${seconds}.${body}`), pair.privateKey).toString('base64')}`
  const body = reportOf(first.text, mintApiKey('live').text)
  for (const [reporter, signature] of [
    ['ci', hmac(body, now - 301)],
    ['ci', hmac(body, now + 301)],
    ['ci', hmac(body, now, 'guessed')],
    ['ci', edward(body, now)],
    ['intel', hmac(body, now)],
    ['nobody', hmac(body, now)],
    ['ci', hmac(body, now).replace(`t=${now}`, `t=${now + 1}`)],
  ] as const)
    assert.equal((await send(reporter, signature, body)).statusCode, 401, `${reporter} ${signature}`)
  assert.equal((await first.read())?.state, 'active')
  assert.deepEqual((await send('ci', hmac(body, now - 299), body)).json(), { received: 2 })
  assert.equal((await first.read())?.leaks[0]?.reporter, 'ci')
  const other = reportOf(second.text)
  assert.deepEqual((await send('intel', edward(other, now), other)).json(), { received: 1 })
  assert.equal((await second.read())?.state, 'quarantined')
})
