import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import fastify from 'fastify'
import { makeCertificate } from '../ports/upstream-client.contract-server.ts'
import { type ControlListeners, openControlListeners } from './control-listeners.ts'

const loopback = { host: '127.0.0.1', port: 0 }
let listeners: ControlListeners
let port = 0

before(async () => {
  const app = fastify()
  app.get('/', () => 'here')
  const config = { http: { enabled: false, ...loopback }, https: { enabled: true, ...loopback } }
  listeners = await openControlListeners(app, config, makeCertificate())
  port = Number(new URL(listeners.urls[0] ?? '').port)
})
after(() => listeners.close())

async function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ ...loopback, port, rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  socket.destroy()
  return socket
}

const tls12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const

test('the control plane takes TLS 1.2 with forward secrecy and AEAD only', async () => {
  for (const weak of ['ECDHE-ECDSA-AES128-SHA256', 'ECDHE-RSA-AES256-SHA384', 'ECDHE-ECDSA-AES256-SHA']) {
    await assert.rejects(handshake({ ...tls12, ciphers: weak }), /handshake failure|disconnected/, weak)
  }
  await handshake({ ...tls12, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256' })
})

test('a renewed certificate comes with the same terms', async () => {
  listeners.setTls(makeCertificate())
  await assert.rejects(handshake({ ...tls12, ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256' }))
  await handshake({ ecdhCurve: 'X25519MLKEM768' })
})
