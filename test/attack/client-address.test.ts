/**
 * Whose address a key's network binding sees: that of the client, through PROXY headers and trusted proxies, and never
 * one that a client made up.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type HttpListener, openHttpListener } from '../../src/adapters/http1/server.ts'
import { type StartedGateway, startGateway } from '../../src/gateway/harness/start-gateway.ts'
import { contractBounds } from '../../src/ports/listener.contract-bench.ts'
import { exchangeRaw } from './raw-socket.ts'

const listeners: HttpListener[] = []
const gateways: StartedGateway[] = []

/** A gateway whose key opens from 203.0.113.0/24 alone, behind a listener that expects PROXY headers. */
async function start(
  forwardedHeader: 'x-forwarded-for' | 'forwarded',
): Promise<(from: string, ...lines: string[]) => Promise<number>> {
  const gateway = await startGateway({
    key: { cidrs: ['203.0.113.0/24'] },
    config: { trustedProxies: ['10.0.0.0/8', 'fd00::/8'], forwardedHeader },
  })
  gateways.push(gateway)
  const listener = await openHttpListener(
    { host: '127.0.0.1', port: 0, reusePort: false, bounds: contractBounds, isProxy: () => true },
    gateway.gateway.handle,
  )
  listeners.push(listener)
  return async (from, ...lines) => {
    const family = from.includes(':') ? 'TCP6' : 'TCP4'
    const head = [
      `PROXY ${family} ${from} ${from} 51234 443`,
      'GET /v1/models HTTP/1.1',
      'Host: x',
      `Authorization: Bearer ${gateway.apiKey}`,
      'Connection: close',
      ...lines,
    ]
    const outcome = await exchangeRaw(listener.address.port, [`${head.join('\r\n')}\r\n\r\n`])
    return outcome.statuses[0] ?? 0
  }
}

let listed: Awaited<ReturnType<typeof start>>
let standard: Awaited<ReturnType<typeof start>>
before(async () => {
  listed = await start('x-forwarded-for')
  standard = await start('forwarded')
})
after(async () => {
  for (const listener of listeners) listener.destroy()
  for (const gateway of gateways) await gateway.stop()
})

test('the PROXY header names the client that the binding sees', async () => {
  assert.equal(await listed('203.0.113.9'), 200)
  assert.equal(await listed('::ffff:203.0.113.9'), 200)
  assert.notEqual(await listed('198.51.100.1'), 200)
  assert.notEqual(await listed('2001:db8::1'), 200)
})

test('behind it, a trusted proxy names the client; ports and brackets do not matter', async () => {
  assert.equal(await listed('10.0.0.5', 'X-Forwarded-For: 203.0.113.9:51234'), 200)
  assert.equal(await listed('fd00::5', 'X-Forwarded-For: 203.0.113.9, [fd00::6]:443'), 200)
  assert.equal(await standard('10.0.0.5', 'Forwarded: for=203.0.113.9;proto=https'), 200)
  assert.equal(await standard('10.0.0.5', 'Forwarded: for="[::ffff:203.0.113.9]:1"'), 200)
})

test('what a client writes itself is never believed', async () => {
  assert.notEqual(await listed('198.51.100.1', 'X-Forwarded-For: 203.0.113.9'), 200)
  assert.notEqual(await listed('10.0.0.5', 'X-Forwarded-For: 203.0.113.9, 198.51.100.1'), 200)
  assert.notEqual(
    await listed('10.0.0.5', 'X-Forwarded-For: 203.0.113.9', 'X-Forwarded-For: 198.51.100.1'),
    200,
  )
  assert.notEqual(await listed('10.0.0.5', 'X-Forwarded-For: 203.0.113.9, unknown'), 200)
  assert.notEqual(await listed('10.0.0.5', 'Forwarded: for=203.0.113.9'), 200)
  assert.notEqual(await listed('10.0.0.5', 'X-Real-IP: 203.0.113.9', 'True-Client-IP: 203.0.113.9'), 200)
  assert.notEqual(await standard('10.0.0.5', 'X-Forwarded-For: 203.0.113.9'), 200)
  assert.notEqual(await standard('10.0.0.5', 'Forwarded: for=203.0.113.9, for=198.51.100.1'), 200)
})
