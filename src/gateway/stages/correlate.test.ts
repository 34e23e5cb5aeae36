import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AddressMatcher, compileCidrs } from '../../identity/index.ts'
import type { Exchange } from '../exchange.ts'
import { correlate } from './correlate.ts'

/** The caller's address that the stage finds. */
function addressOf(peer: string, lines: readonly string[], proxies: readonly string[]): string {
  const trustsProxy: AddressMatcher | null = proxies.length === 0 ? null : compileCidrs(proxies)
  const headers = lines.flatMap((line) => ['x-forwarded-for', line])
  const exchange = {
    inbound: { remoteAddress: peer, headers },
    snapshot: { trustsProxy, forwardedHeader: 'x-forwarded-for' },
    clientAddress: '',
  }
  correlate(exchange as unknown as Exchange, {} as never)
  return exchange.clientAddress
}

const proxies = ['10.0.0.0/8', 'fd00::/8']

test('X-Forwarded-For means nothing while no proxy is trusted, nor from a peer that is none', () => {
  assert.equal(addressOf('203.0.113.9', ['198.51.100.1'], []), '203.0.113.9')
  assert.equal(addressOf('203.0.113.9', ['198.51.100.1'], proxies), '203.0.113.9')
})

test('behind trusted proxies the caller is the first hop from the right that is none', () => {
  assert.equal(addressOf('10.0.0.1', ['198.51.100.1'], proxies), '198.51.100.1')
  assert.equal(addressOf('10.0.0.1', ['6.6.6.6, 198.51.100.1, 10.9.9.9'], proxies), '198.51.100.1')
  assert.equal(addressOf('fd00::1', ['6.6.6.6, 2001:db8::7, fd00::2'], proxies), '2001:db8::7')
  assert.equal(addressOf('10.0.0.1', ['10.0.0.2, 10.0.0.3'], proxies), '10.0.0.2')
})

test('several lines are one list in their order: a caller cannot speak before its proxy', () => {
  assert.equal(addressOf('10.0.0.1', ['6.6.6.6', '198.51.100.1'], proxies), '198.51.100.1')
  assert.equal(addressOf('10.0.0.1', ['6.6.6.6', '198.51.100.1', '10.0.0.2'], proxies), '198.51.100.1')
})

test('what is no address ends the search at the last hop that proved something', () => {
  assert.equal(addressOf('10.0.0.1', ['198.51.100.1, unknown'], proxies), '10.0.0.1')
  assert.equal(addressOf('10.0.0.1', ['198.51.100.1, _x, 10.0.0.2'], proxies), '10.0.0.2')
  assert.equal(addressOf('10.0.0.1', ['', ','], proxies), '10.0.0.1')
  assert.equal(addressOf('10.0.0.1', [], proxies), '10.0.0.1')
})

test('at most sixteen hops are looked at', () => {
  const hops = ['6.6.6.6', ...Array.from({ length: 20 }, () => '10.0.0.2')].join(', ')
  assert.equal(addressOf('10.0.0.1', [hops], proxies), '10.0.0.2')
})
