import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from '../../../bench/load/processes.ts'
import { startValkey, type ValkeyServer } from '../../../test/fixtures/valkey/valkey-server.ts'
import { requireSystemProgram } from '../../../tools/system-packages.ts'
import { month, slots, slow, testCentralCountersContract } from '../../ports/central-counters.contract.ts'
import type { CentralCounters, CounterTerms } from '../../ports/central-counters.ts'
import { reconnectPauseMs } from './connect-valkey.ts'
import { openConnected } from './harness/open-connected.ts'
import { openValkeyCounters } from './open-valkey-counters.ts'

const server = await startValkey()
const withoutFunctions = await startValkey(['--rename-command', 'FCALL', ''])
const cluster = await startValkey(['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'])
after(() => Promise.all([server, withoutFunctions, cluster].map((each) => each.stop())))

/** A cluster of one server checks hash slots as one of many does. */
async function giveAllSlots({ port }: ValkeyServer): Promise<void> {
  const admin = new Redis({ port, host: '127.0.0.1' })
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  while (!(await admin.cluster('INFO')).includes('cluster_state:ok')) await sleep(20)
  admin.disconnect()
}
await giveAllSlots(cluster)

function contractOn(name: string, { url }: ValkeyServer, isCluster: boolean): void {
  testCentralCountersContract(name, async () => {
    const prefix = `${randomUUID()}:`
    const opened: CentralCounters[] = []
    return {
      ttlMs: 300,
      async open(node) {
        const { counters } = await openConnected(url, { node, prefix, cluster: isCluster })
        opened.push(counters)
        return counters
      },
      async remove() {
        for (const counters of opened) await counters.close()
      },
    }
  })
}
contractOn('valkey', server, false)
contractOn('valkey, scripts instead of functions', withoutFunctions, false)
contractOn('valkey cluster', cluster, true)

const plain = {
  cluster: false,
  extraCertificates: [],
  commandTimeoutMs: 1000,
  node: 'a',
  run: 'one',
  prefix: 'test:',
  ttlMs: 300,
} as const
const entry = (key: string, terms: CounterTerms, units = 1) => ({ key, terms, units })
const fast: CounterTerms = { kind: 'rolling', amount: 100, windowMs: 1000, burst: 20 }

test('every key expires by itself, and one that says nothing any more is gone at once', async () => {
  const prefix = `${randomUUID()}:`
  const { counters } = await openConnected(server.url, { prefix })
  await counters.take([entry('{t}r', fast, 5), entry('{t}m', month(9)), entry('{t}s', slots(3))])
  await counters.lease([{ key: '{t}l', terms: fast, wanted: 5, least: 1 }])
  const redis = new Redis(server.url)
  const keys = await redis.keys(`${prefix}*`)
  assert.equal(keys.length, 5, keys.join(' '))
  for (const key of keys) assert.ok((await redis.pttl(key)) > 0, key)
  assert.ok((await redis.pttl(`${prefix}c:{t}r`)) <= 50, 'a rolling counter lives until it is full again')
  await counters.adjust([entry('{t}s', slots(3), -1)])
  assert.equal(await redis.exists(`${prefix}c:{t}s`), 0)
  await sleep(60)
  assert.equal(await redis.exists(`${prefix}c:{t}r`), 0)
  await counters.close()
  redis.disconnect()
})

test('a clock of a node that is wrong changes nothing', async (ctx) => {
  const { counters } = await openConnected(server.url, { prefix: `${randomUUID()}:` })
  await counters.take([entry('{t}r', slow(10), 10)])
  ctx.mock.timers.enable({ apis: ['Date'], now: Date.now() + 365 * 86_400_000 })
  const outcome = await counters.take([entry('{t}r', slow(10))])
  assert.equal(outcome.taken, false)
  await counters.close()
})

test('entries of one take on several cluster slots are refused as the mistake they are', async () => {
  const { counters } = await openConnected(server.url)
  await assert.rejects(async () => counters.take([entry('{a}x', fast), entry('{b}x', fast)]), RangeError)
  await counters.close()
})

test('a server that was never there refuses at once, and serves when it comes', async () => {
  const late = await startValkey()
  await late.kill()
  const states: boolean[] = []
  const counters = openValkeyCounters({
    ...plain,
    url: late.url,
    onState: (connected) => states.push(connected),
  })
  const began = performance.now()
  await assert.rejects(counters.take([entry('{t}r', fast)]))
  assert.ok(performance.now() - began < 200)
  await late.restart()
  const deadline = Date.now() + 5000
  while (states.at(-1) !== true && Date.now() < deadline) await sleep(10)
  assert.ok((await counters.take([entry('{t}r', fast)])).taken)
  assert.deepEqual(states.slice(-2), [false, true])
  await counters.close()
  await late.stop()
})

test('a server that hangs costs a call no more than its timeout', async () => {
  const hanging = await startValkey()
  const { counters } = await openConnected(hanging.url, { commandTimeoutMs: 100 })
  hanging.process.kill('SIGSTOP')
  const began = performance.now()
  await assert.rejects(counters.take([entry('{t}r', fast)]))
  const tookMs = performance.now() - began
  assert.ok(tookMs >= 90 && tookMs < 500, `${tookMs} ms`)
  hanging.process.kill('SIGCONT')
  await counters.close()
  await hanging.stop()
})

test('slots are held again after the server lost them, also those whose answer was lost', async () => {
  const dying = await startValkey()
  const [a, b] = [await openConnected(dying.url), await openConnected(dying.url, { node: 'b' })]
  const five = slots(5)
  assert.ok((await a.counters.take([entry('{t}s', five, 3)])).taken)
  await dying.kill()
  await assert.rejects(a.counters.take([entry('{t}s', five)]))
  await dying.restart()
  const deadline = Date.now() + 5000
  for (const { counters } of [a, b]) {
    while (
      !(await counters.renew().then(
        () => true,
        () => false,
      ))
    )
      assert.ok(Date.now() < deadline && (await sleep(10)) === undefined)
  }
  const [standing] = await b.counters.read([{ key: '{t}s', terms: five }])
  assert.equal(standing?.remaining, 2)
  assert.ok(a.losses.length > 0)
  await a.counters.close()
  await b.counters.close()
  await dying.stop()
})

test('a slot that was taken while nobody heard the answer is let go at the next renewal', async () => {
  const slowServer = await startValkey()
  const { counters } = await openConnected(slowServer.url, { commandTimeoutMs: 60, ttlMs: 60_000 })
  await counters.take([entry('{t}s', slots(5))])
  slowServer.process.kill('SIGSTOP')
  await assert.rejects(counters.take([entry('{t}s', slots(5), 2)]))
  slowServer.process.kill('SIGCONT')
  const deadline = Date.now() + 5000
  let remaining = Number.NaN
  while (remaining !== 4 && Date.now() < deadline) {
    await sleep(10)
    await counters.renew().catch(() => undefined)
    const read = await counters.read([{ key: '{t}s', terms: slots(5) }]).catch(() => [])
    remaining = read[0]?.remaining ?? Number.NaN
  }
  assert.equal(remaining, 4)
  await counters.close()
  await slowServer.stop()
})

test('a process that starts again lets go of what the one before held', async () => {
  const prefix = `${randomUUID()}:`
  const before = await openConnected(server.url, { prefix, ttlMs: 60_000 })
  await before.counters.take([entry('{t}s', slots(2), 2)])
  await before.counters.close()
  const next = await openConnected(server.url, { prefix, run: 'two', ttlMs: 60_000 })
  assert.ok((await next.counters.take([entry('{t}s', slots(2), 2)])).taken)
  await next.counters.close()
})

test('a node that takes leave counts no more, also where it holds nothing', async () => {
  const prefix = `${randomUUID()}:`
  const [a, b] = [
    await openConnected(server.url, { prefix }),
    await openConnected(server.url, { prefix, node: 'b' }),
  ]
  const ask = { key: '{t}r', terms: slow(10), wanted: 1, least: 1 }
  await a.counters.lease([ask])
  assert.equal((await b.counters.lease([ask]))[0]?.nodes, 2)
  await a.counters.settle([{ key: '{t}r', terms: slow(10), spent: 1, returned: 0 }])
  await a.counters.forget()
  assert.equal((await b.counters.lease([ask]))[0]?.nodes, 1)
  await a.counters.close()
  await b.counters.close()
})

test('an ACL user that may only run scripts on its prefix is enough', async () => {
  const admin = new Redis(server.url)
  await admin.call(
    'ACL',
    'SETUSER',
    'gatewright',
    'on',
    '>pw/1',
    '~mine:*',
    '-@all',
    '+@connection',
    '+info',
    '+fcall',
    '+function|load',
    '+eval',
    '+evalsha',
    '+time',
    '+hgetall',
    '+hset',
    '+hdel',
    '+del',
    '+pexpire',
  )
  const url = server.url.replace('redis://', 'redis://gatewright:pw%2F1@')
  const { counters } = await openConnected(url, { prefix: 'mine:' })
  assert.ok((await counters.take([entry('{t}r', fast)])).taken)
  const other = await openConnected(url, { prefix: 'other:' })
  await assert.rejects(other.counters.take([entry('{t}r', fast)]), /NOPERM/)
  await counters.close()
  await other.counters.close()
  admin.disconnect()
})

test('over TLS the server must prove itself', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-valkey-tls-'))
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')]
  const asked = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const names = ['-subj', '/CN=counters', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '1']
  execFileSync(requireSystemProgram('openssl'), [...asked, ...names, '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  })
  const port = await freePort()
  const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate]
  const secured = await startValkey(['--tls-port', String(port), '--tls-auth-clients', 'no', ...files])
  const url = `rediss://127.0.0.1:${port}`
  const { counters } = await openConnected(url, { extraCertificates: [readFileSync(certificate, 'utf8')] })
  assert.ok((await counters.take([entry('{t}r', fast)])).taken)
  await counters.close()
  let reason = ''
  const distrusting = openValkeyCounters({
    ...plain,
    url,
    onState: (connected, why) => {
      reason = connected ? 'connected' : why
    },
  })
  while (reason === '') await sleep(10)
  await distrusting.close()
  assert.equal(reason, 'DEPTH_ZERO_SELF_SIGNED_CERT')
  await secured.stop()
  rmSync(directory, { recursive: true })
})

test('a server that may evict counters is told of', async () => {
  const evicting = await startValkey(['--maxmemory-policy', 'allkeys-lru'])
  const policy = await new Promise<string>((resolve) => {
    void openConnected(evicting.url, { onEviction: resolve }).then(({ counters }) =>
      sleep(50).then(() => counters.close()),
    )
  })
  assert.equal(policy, 'allkeys-lru')
  await evicting.stop()
})

test('pauses before connecting again grow, are bounded, and differ between nodes', () => {
  for (let attempt = 1; attempt < 40; attempt += 1) {
    const [least, most] = [reconnectPauseMs(attempt, 0), reconnectPauseMs(attempt, 1)]
    assert.ok(least >= 50 && most <= 1000 && most >= 1.9 * least, `${attempt}: ${least} to ${most}`)
  }
  assert.equal(reconnectPauseMs(30, 1), 1000)
})
