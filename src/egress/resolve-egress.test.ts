import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EgressAddress, EgressFailure, EgressGuard } from '../ports/egress.ts'
import {
  createEgressGuard,
  type DnsDone,
  type DnsRecord,
  type DnsSource,
  systemDns,
} from './resolve-egress.ts'

const strict = { allowPrivateNetwork: false }
const lenient = { allowPrivateNetwork: true }

interface Answers {
  v4?: readonly string[]
  v6?: readonly string[]
  system?: readonly string[]
  ttl?: number
}

interface FakeDns extends DnsSource {
  answers: Answers
  questions: string[]
  /** When set, answers wait until it is called. */
  held: (() => void)[] | null
}

/** Name resolution is the one part that is not real here: the tests play the attacker who owns the zone. */
function fakeDns(answers: Answers): FakeDns {
  function reply(addresses: readonly string[] | undefined, ttl: number, done: DnsDone): void {
    const error = Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
    if (addresses === undefined) done(error, [])
    else
      done(
        null,
        addresses.map((address) => ({ address, ttl })),
      )
  }
  const dns: FakeDns = {
    answers,
    questions: [],
    held: null,
    resolve(host, family, done) {
      dns.questions.push(`${host} ${family}`)
      const { v4, v6, ttl } = dns.answers
      const answer = (): void => reply(family === 4 ? v4 : v6, ttl ?? 30, done)
      if (dns.held === null) answer()
      else dns.held.push(answer)
    },
    lookup(host, done) {
      dns.questions.push(`${host} system`)
      reply(dns.answers.system, 5, done)
    },
  }
  return dns
}

function fakeClock(): { at: number; now(): number; monotonic(): number } {
  return {
    at: 1000,
    now() {
      return this.at
    },
    monotonic() {
      return this.at
    },
  }
}

function ask(
  guard: EgressGuard,
  host: string,
  policy = strict,
): { kind: EgressFailure['kind'] | null; addresses: readonly string[] } {
  let calls = 0
  const result = { kind: null as EgressFailure['kind'] | null, addresses: [] as readonly string[] }
  guard.resolve(host, policy, (failure: EgressFailure | null, addresses: readonly EgressAddress[]) => {
    calls += 1
    result.kind = failure?.kind ?? null
    result.addresses = addresses.map(({ address }) => address)
  })
  assert.equal(calls, 1)
  return result
}

describe('createEgressGuard', () => {
  it('gives public addresses, interleaved, v6 first', () => {
    const dns = fakeDns({ v4: ['8.8.8.8', '8.8.4.4'], v6: ['2606:4700::1111'] })
    assert.deepEqual(ask(createEgressGuard({ dns }), 'a.example').addresses, [
      '2606:4700::1111',
      '8.8.8.8',
      '8.8.4.4',
    ])
  })

  it('denies a name when any one of its addresses is denied', () => {
    for (const bad of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '0.0.0.0', '100.64.0.1', '224.0.0.1']) {
      const guard = createEgressGuard({ dns: fakeDns({ v4: ['8.8.8.8', bad] }) })
      assert.deepEqual(ask(guard, 'a.example'), { kind: 'egress-denied', addresses: [] }, bad)
    }
    for (const bad of ['::1', 'fd00::1', '::ffff:127.0.0.1', '64:ff9b::a00:1', '2002:7f00:1::']) {
      const guard = createEgressGuard({ dns: fakeDns({ v4: ['8.8.8.8'], v6: [bad] }) })
      assert.deepEqual(ask(guard, 'a.example'), { kind: 'egress-denied', addresses: [] }, bad)
    }
  })

  it('admits private and loopback addresses where allowed, metadata and link-local addresses never', () => {
    const guardOf = (v4: string): EgressGuard => createEgressGuard({ dns: fakeDns({ v4: [v4] }) })
    for (const good of ['10.0.0.1', '127.0.0.1', '100.64.0.1', '8.8.8.8']) {
      assert.deepEqual(ask(guardOf(good), 'a.example', lenient).addresses, [good])
    }
    for (const bad of ['169.254.169.254', '169.254.1.1', '100.100.100.200', '0.0.0.0', '168.63.129.16']) {
      assert.equal(ask(guardOf(bad), 'a.example', lenient).kind, 'egress-denied', bad)
    }
    assert.equal(
      ask(createEgressGuard({ dns: fakeDns({ v6: ['fd00:ec2::254'] }) }), 'a.example', lenient).kind,
      'egress-denied',
    )
  })

  it('judges addresses that are given as hosts without asking anyone', () => {
    const dns = fakeDns({})
    const guard = createEgressGuard({ dns })
    assert.deepEqual(ask(guard, '8.8.8.8').addresses, ['8.8.8.8'])
    assert.equal(ask(guard, '127.0.0.1').kind, 'egress-denied')
    assert.deepEqual(ask(guard, '::1', lenient).addresses, ['::1'])
    assert.equal(ask(guard, '169.254.169.254', lenient).kind, 'egress-denied')
    assert.equal(ask(guard, '::ffff:169.254.169.254', lenient).kind, 'egress-denied')
    assert.deepEqual(dns.questions, [])
  })

  it('knows localhost without asking anyone', () => {
    const dns = fakeDns({ v4: ['8.8.8.8'] })
    const guard = createEgressGuard({ dns })
    assert.deepEqual(ask(guard, 'localhost', lenient).addresses, ['127.0.0.1', '::1'])
    assert.deepEqual(ask(guard, 'x.localhost', lenient).addresses, ['127.0.0.1', '::1'])
    assert.equal(ask(guard, 'localhost').kind, 'egress-denied')
    assert.deepEqual(dns.questions, [])
  })

  it('asks the system resolver only where private networks are allowed', () => {
    const dns = fakeDns({ system: ['10.0.0.7'] })
    const guard = createEgressGuard({ dns })
    assert.equal(ask(guard, 'ollama').kind, 'resolve')
    assert.deepEqual(dns.questions, ['ollama 4', 'ollama 6'])
    assert.deepEqual(ask(guard, 'ollama', lenient).addresses, ['10.0.0.7'])
  })

  it('fails with resolve when nobody knows the name', () => {
    assert.equal(ask(createEgressGuard({ dns: fakeDns({}) }), 'a.example', lenient).kind, 'resolve')
    assert.equal(ask(createEgressGuard({ dns: fakeDns({ v4: [], v6: [] }) }), 'a.example').kind, 'resolve')
  })

  it('keeps an answer for its TTL and not longer', () => {
    const dns = fakeDns({ v4: ['8.8.8.8'], ttl: 30 })
    const clock = fakeClock()
    const guard = createEgressGuard({ dns, clock })
    ask(guard, 'a.example')
    clock.at += 29_999
    ask(guard, 'a.example')
    assert.equal(dns.questions.length, 2)
    clock.at += 2
    ask(guard, 'a.example')
    assert.equal(dns.questions.length, 4)
  })

  it('denies a name that is rebound to a private address, and goes on denying until it is checked anew', () => {
    const dns = fakeDns({ v4: ['8.8.8.8'], ttl: 0 })
    const clock = fakeClock()
    const guard = createEgressGuard({ dns, clock })
    assert.deepEqual(ask(guard, 'rebind.example').addresses, ['8.8.8.8'])
    dns.answers = { v4: ['127.0.0.1'], ttl: 0 }
    assert.deepEqual(
      ask(guard, 'rebind.example').addresses,
      ['8.8.8.8'],
      'within the pin, the checked address',
    )
    clock.at += 1_001
    assert.equal(ask(guard, 'rebind.example').kind, 'egress-denied')
    dns.answers = { v4: ['8.8.8.8'], ttl: 0 }
    clock.at += 1_001
    assert.equal(ask(guard, 'rebind.example').kind, null)
  })

  it('does not let an answer for one policy serve the other', () => {
    const guard = createEgressGuard({ dns: fakeDns({ v4: ['10.0.0.1'] }) })
    assert.equal(ask(guard, 'a.example', lenient).kind, null)
    assert.equal(ask(guard, 'a.example', strict).kind, 'egress-denied')
  })

  it('asks once for callers that come together', () => {
    const dns = fakeDns({ v4: ['8.8.8.8'] })
    dns.held = []
    const guard = createEgressGuard({ dns })
    const seen: number[] = []
    for (let i = 0; i < 50; i += 1) guard.resolve('a.example', strict, () => seen.push(i))
    assert.equal(dns.questions.length, 2)
    for (const answer of dns.held) answer()
    assert.equal(seen.length, 50)
  })

  it('remembers a bounded number of names and gives a bounded number of addresses', () => {
    const dns = fakeDns({ v4: Array.from({ length: 100 }, (_, i) => `8.8.8.${i}`) })
    const guard = createEgressGuard({ dns, clock: fakeClock() })
    assert.equal(ask(guard, 'a0.example').addresses.length, 16)
    for (let i = 1; i <= 1024; i += 1) ask(guard, `a${i}.example`)
    const { length } = dns.questions
    ask(guard, 'a1024.example')
    assert.equal(dns.questions.length, length)
    ask(guard, 'a0.example')
    assert.equal(dns.questions.length, length + 2)
  })
})

describe('systemDns', () => {
  it('reads the names of this machine', async () => {
    const records = await new Promise<readonly DnsRecord[]>((resolve, reject) =>
      systemDns().lookup('localhost', (error, found) => (error === null ? resolve(found) : reject(error))),
    )
    assert.ok(records.some(({ address }) => address === '127.0.0.1' || address === '::1'))
  })

  it('answers a question that nobody can answer with an error, in bounded time', async () => {
    const startedAt = performance.now()
    const kind = await new Promise((resolve) =>
      createEgressGuard().resolve('nobody.invalid', strict, (failure) => resolve(failure?.kind)),
    )
    assert.equal(kind, 'resolve')
    assert.ok(performance.now() - startedAt < 20_000)
  })
})
