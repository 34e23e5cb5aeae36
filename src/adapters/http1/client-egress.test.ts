import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createEgressGuard } from '../../egress/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import { outcomeOf } from '../../ports/upstream-client.contract-calls.ts'
import { httpServer, scriptedServer } from '../../ports/upstream-client.contract-server.ts'
import type { UpstreamOrigin } from '../../ports/upstream-client.ts'
import { createHttp1Client } from './client.ts'

/** A zone whose owner answers the n-th question with the n-th address, and the last one from then on. */
function zone(...answers: readonly string[]) {
  let asked = 0
  return {
    get asked() {
      return asked
    },
    resolve(
      _host: string,
      family: 4 | 6,
      done: (error: null, records: { address: string; ttl: number }[]) => void,
    ) {
      if (family === 6) return done(null, [])
      const address = answers[Math.min(asked, answers.length - 1)] ?? ''
      asked += 1
      return done(null, [{ address, ttl: 0 }])
    },
    lookup(_host: string, done: (error: null, records: { address: string; ttl: number }[]) => void) {
      done(null, [])
    },
  }
}

function originOf(port: number, allowPrivateNetwork: boolean): UpstreamOrigin {
  return { protocol: 'http:', host: 'model.attacker.example', port, allowPrivateNetwork }
}

describe('a caller never reaches a host that configuration does not name', () => {
  it('because the path cannot move the host', async () => {
    const client = createHttp1Client({ egress: createEgressGuard({ dns: zone('127.0.0.1') }) })
    await using server = await httpServer(null, (req, res) => res.end(`${req.headers.host} ${req.url}`))
    const origin = originOf(server.port, true)
    const host = `model.attacker.example:${server.port}`
    for (const path of ['//evil.example/x', '/@evil.example', '/\\evil.example', '/http://evil.example/']) {
      const { body } = await outcomeOf(client, origin, { path })
      assert.equal(body.toString(), `${host} ${path}`)
    }
    for (const path of [
      'http://evil.example/',
      '@evil.example/',
      '.evil.example/',
      ':80/',
      'evil',
      '/ HTTP/1.1\r\nHost: evil',
    ]) {
      assert.equal((await outcomeOf(client, origin, { path })).failure?.kind, 'protocol', path)
    }
    for (const name of ['host', 'Host', 'HOST']) {
      const { failure } = await outcomeOf(client, origin, { headers: [name, 'evil.example'] })
      assert.equal(failure?.kind, 'protocol')
    }
    client.close()
  })

  it('because redirects are reported, not followed', async () => {
    let metadata = 0
    await using inner = await scriptedServer(null, () => {
      metadata += 1
    })
    await using server = await httpServer(null, (_req, res) => {
      res.writeHead(302, { location: `http://127.0.0.1:${inner.port}/latest/meta-data/` }).end()
    })
    const client = createHttp1Client({ egress: createEgressGuard({ dns: zone('127.0.0.1') }) })
    const { status } = await outcomeOf(client, originOf(server.port, true))
    assert.equal(status, 302)
    assert.equal(metadata + inner.accepted, 0)
    client.close()
  })

  it('because a name that resolves to this machine is denied before a connection is made', async () => {
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '0.0.0.0']) {
      const client = createHttp1Client({ egress: createEgressGuard({ dns: zone(address) }) })
      await using server = await scriptedServer(null, () => undefined)
      const { failure } = await outcomeOf(client, originOf(server.port, false))
      assert.equal(failure?.kind, 'egress-denied')
      assert.equal(failure.unsent, true)
      assert.equal(server.accepted, 0)
    }
  })

  it('because a connection goes to the address that was checked, and each new answer is checked anew', async () => {
    let at = 0
    const clock: Clock = { now: () => at, monotonic: () => at }
    const dns = zone('127.0.0.1', '169.254.169.254', '127.0.0.1')
    const client = createHttp1Client({
      egress: createEgressGuard({ dns, clock }),
      bounds: { idlePerOrigin: 0 },
    })
    await using server = await httpServer(null, (_req, res) => res.end('ok'))
    const origin = originOf(server.port, true)
    for (let i = 0; i < 3; i += 1) assert.equal((await outcomeOf(client, origin)).failure, null)
    assert.equal(dns.asked, 1, 'one answer, checked once, serves until its TTL')
    at += 2000
    assert.equal((await outcomeOf(client, origin)).failure?.kind, 'egress-denied')
    assert.equal(server.accepted, 3)
    at += 2000
    assert.equal((await outcomeOf(client, origin)).failure, null)
    assert.equal(dns.asked, 3)
    client.close()
  })
})
