/** Certificate files of the operator are watched: new connections of both planes get the new one, without a restart. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { ensureLocalCertificate } from '../../src/adapters/local-authority/local-authority.ts'
import { startProduct } from './product.ts'

function open(origin: string): Promise<TLSSocket> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    // Which authority issued it is not what is asked here.
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () =>
      resolve(socket),
    )
    socket.once('error', reject)
  })
}

/** SHA-256 fingerprint of the certificate that a new connection gets. */
async function served(origin: string): Promise<string> {
  const socket = await open(origin)
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

async function until(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const deadline = Date.now() + 15_000
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, what)
    await sleep(100)
  }
}

test('a certificate that is replaced on disk serves new connections; half a pair is reported and changes nothing', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-certificates-'))
  const certificateFile = join(directory, 'tls.crt')
  const keyFile = join(directory, 'tls.key')
  const issue = (name: string) =>
    ensureLocalCertificate(join(directory, name), ['localhost', '127.0.0.1'], Date.now())
  const [first, second] = [await issue('first'), await issue('second')]
  const fingerprintOf = ({ certificate }: { readonly certificate: string }): string =>
    new X509Certificate(certificate).fingerprint256
  writeFileSync(certificateFile, first.certificate)
  writeFileSync(keyFile, first.privateKey, { mode: 0o600 })
  const product = await startProduct({ config: { tls: { certificateFile, keyFile } } })
  t.after(async () => {
    await product.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  const origins = [product.https, product.controlHttps]
  const bothServe = async (wanted: string): Promise<boolean> => {
    const seen = await Promise.all(origins.map(served))
    return seen.every((fingerprint) => fingerprint === wanted)
  }
  assert.ok(await bothServe(fingerprintOf(first)))
  const before = await open(product.https)

  writeFileSync(certificateFile, second.certificate)
  await until(() => product.output().includes('"code":"tls.reload"'), 'half a pair is reported')
  assert.ok(await bothServe(fingerprintOf(first)), 'half a pair changes nothing')

  writeFileSync(keyFile, second.privateKey)
  await until(() => bothServe(fingerprintOf(second)), 'the new certificate is served')
  assert.equal(before.destroyed, false, 'a connection from before goes on')
  before.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n')
  const answer = await new Promise<string>((resolve) => {
    before.once('data', (data) => resolve(data.toString('latin1')))
  })
  assert.match(answer, /^HTTP\/1\.1 200 /)
  before.destroy()

  writeFileSync(certificateFile, first.certificate)
  writeFileSync(keyFile, first.privateKey)
  await until(() => bothServe(fingerprintOf(first)), 'and back')
})
