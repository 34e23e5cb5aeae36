import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { addressBlock, formatAddress, parseAddress } from './ip-address.ts'

function normalized(text: string): string {
  const words = new Int32Array(4)
  assert.ok(parseAddress(text, words), text)
  return formatAddress(words)
}

test('an address has one text, that of RFC 5952', () => {
  for (const [text, expected] of [
    ['10.0.0.255', '10.0.0.255'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:a00:1', '10.0.0.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['::', '::'],
    ['1::', '1::'],
    ['0:0:1:0:0:0:0:0', '0:0:1::'],
  ] as const)
    assert.equal(normalized(text), expected)
})

test('the text agrees with that of another implementation', () => {
  const address = fc.oneof(
    fc.ipV6(),
    fc.array(fc.constantFrom('0', '0', '1', 'ff'), { minLength: 8, maxLength: 8 }).map((g) => g.join(':')),
  )
  fc.assert(
    fc.property(address, (text) => {
      const parsed = ipaddr.IPv6.parse(text)
      if (!parsed.isIPv4MappedAddress()) assert.equal(normalized(text), parsed.toRFC5952String())
    }),
    { numRuns: 2000 },
  )
})

test('one client is one IPv4 address or one /64 of IPv6, however it is written', () => {
  assert.equal(addressBlock('203.0.113.9'), '203.0.113.9')
  assert.equal(addressBlock('::ffff:203.0.113.9'), '203.0.113.9')
  assert.equal(addressBlock('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  assert.equal(addressBlock('2001:db8:1:2::'), addressBlock('2001:DB8:1:2:ffff:ffff:ffff:ffff'))
  assert.notEqual(addressBlock('2001:db8:1:2::'), addressBlock('2001:db8:1:3::'))
  assert.equal(addressBlock('fe80::1%eth0'), 'fe80::/64')
  assert.equal(addressBlock('unknown'), 'unknown')
})
