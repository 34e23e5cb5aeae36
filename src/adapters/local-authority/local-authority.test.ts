import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { ensureLocalCertificate } from './local-authority.ts'

const now = Date.now()
const dayMs = 86_400_000
const names = ['localhost', '127.0.0.1', '::1']

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-tls-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return join(directory, 'tls')
}

test('a client that trusts the authority connects under every name, and under no other', async (t) => {
  const { certificate, privateKey, authority } = await ensureLocalCertificate(directoryOf(t), names, now)
  const server = createServer({ cert: certificate, key: privateKey }, (socket) => socket.end())
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const reach = async (servername: string, ca: string | undefined): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', servername, ...(ca === undefined ? {} : { ca }) })
    const outcome = await Promise.race([
      once(socket, 'secureConnect').then(() => 'connected'),
      once(socket, 'error').then(([error]) => String((error as { code?: string }).code)),
    ]).catch((error: unknown) => String((error as { code?: string }).code))
    socket.destroy()
    return outcome
  }
  assert.equal(await reach('localhost', authority), 'connected')
  assert.equal(await reach('example.com', authority), 'ERR_TLS_CERT_ALTNAME_INVALID')
  assert.notEqual(await reach('localhost', undefined), 'connected')
  const parsed = new X509Certificate(certificate)
  assert.ok(parsed.checkIP('127.0.0.1') !== undefined && parsed.checkIP('::1') !== undefined)
})

test('keys are for the owner alone, and nothing half-written is left', async (t) => {
  const directory = directoryOf(t)
  await ensureLocalCertificate(directory, names, now)
  assert.deepEqual(readdirSync(directory).sort(), ['ca.crt', 'ca.key', 'server.crt', 'server.key'])
  for (const name of readdirSync(directory))
    assert.equal(statSync(join(directory, name)).mode & 0o077, 0, name)
  assert.equal(statSync(directory).mode & 0o077, 0)
})

test('the authority signs server certificates and no further authorities; the server certificate is no authority', async (t) => {
  const { certificate, authority, expiresAt } = await ensureLocalCertificate(directoryOf(t), names, now)
  const [server, root] = [new X509Certificate(certificate), new X509Certificate(authority)]
  assert.deepEqual([server.ca, root.ca], [false, true])
  assert.ok(server.verify(root.publicKey))
  assert.ok(expiresAt <= now + 397 * dayMs + 1000 && expiresAt > now + 390 * dayMs)
  assert.equal(
    createPrivateKey((await ensureLocalCertificate(directoryOf(t), names, now)).privateKey).asymmetricKeyType,
    'ec',
  )
})

test('a certificate that serves is kept; it is renewed under the same authority for new names and before it ends', async (t) => {
  const directory = directoryOf(t)
  const first = await ensureLocalCertificate(directory, names, now)
  assert.equal((await ensureLocalCertificate(directory, names, now)).certificate, first.certificate)
  assert.equal((await ensureLocalCertificate(directory, ['localhost'], now)).certificate, first.certificate)
  const renamed = await ensureLocalCertificate(directory, [...names, 'gateway.example'], now)
  assert.equal(renamed.authority, first.authority)
  assert.equal(new X509Certificate(renamed.certificate).checkHost('gateway.example'), 'gateway.example')
  const later = await ensureLocalCertificate(directory, names, now + 368 * dayMs)
  assert.equal(later.authority, first.authority)
  assert.notEqual(later.certificate, renamed.certificate)
})

test('a certificate that cannot be read or belongs to another authority is issued anew', async (t) => {
  const directory = directoryOf(t)
  const other = await ensureLocalCertificate(directoryOf(t), names, now)
  const first = await ensureLocalCertificate(directory, names, now)
  writeFileSync(join(directory, 'server.crt'), 'broken')
  const second = await ensureLocalCertificate(directory, names, now)
  assert.notEqual(second.certificate, first.certificate)
  writeFileSync(join(directory, 'server.crt'), other.certificate)
  const third = await ensureLocalCertificate(directory, names, now)
  assert.ok(new X509Certificate(third.certificate).verify(new X509Certificate(third.authority).publicKey))
  assert.ok(
    new X509Certificate(third.certificate).checkPrivateKey(
      createPrivateKey(readFileSync(join(directory, 'server.key'))),
    ),
  )
})
