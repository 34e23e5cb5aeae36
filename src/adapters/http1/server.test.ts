import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenerContract } from '../../ports/listener.contract.ts'
import { contractBounds } from '../../ports/listener.contract-bench.ts'
import { makeCertificate } from '../../ports/upstream-client.contract-server.ts'
import { openHttpListener } from './server.ts'

for (const transport of ['http1-plain', 'http1-tls', 'http2'] as const) {
  listenerContract({ transport, open: openHttpListener, makeCertificate: async () => makeCertificate() })
}

test('plain HTTP does not bind to an address that is not loopback', async () => {
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '', '127.0.0.1.example']) {
    await assert.rejects(
      openHttpListener({ host, port: 0, reusePort: false, bounds: contractBounds }, () => undefined),
      /loopback/,
    )
  }
})
