import assert from 'node:assert/strict'
import { BlockList, isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAddress } from '../../kernel/ip-address.ts'
import { compileCidrs, isCidr, maxCidrs } from './compile-cidrs.ts'

test('no networks admit every address', () => {
  assert.equal(compileCidrs([])('203.0.113.9'), true)
  assert.equal(compileCidrs([])('2001:db8::1'), true)
})

test('v4, v6 and v4-mapped spellings of one network agree', () => {
  const cases: readonly [string, string, boolean][] = [
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['10.0.0.0/8', '::ffff:a00:1', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.7', '10.0.0.7', true],
    ['10.0.0.7', '10.0.0.8', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['::ffff:10.0.0.0/104', '10.1.1.1', true],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::1', '2001:db8:0:0:0:0:0:1', true],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['255.255.255.255/32', '255.255.255.255', true],
  ]
  for (const [cidr, address, inside] of cases) {
    assert.equal(compileCidrs([cidr])(address), inside, `${address} in ${cidr}`)
  }
})

test('what is no network is refused, never taken as everything', () => {
  const bad = [
    '',
    '/',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '::/129',
    '10.0.0',
    '010.0.0.0/8',
  ]
  for (const cidr of [
    ...bad,
    '10.0.0.0/8/8',
    'localhost',
    '10.0.0.0/8 ',
    'fe80::1%eth0/64',
    '1::2::3/8',
    '*',
  ]) {
    assert.equal(isCidr(cidr), false, cidr)
    assert.throws(() => compileCidrs([cidr]), RangeError)
  }
  assert.throws(() => compileCidrs(Array(maxCidrs + 1).fill('10.0.0.0/8')), RangeError)
})

test('what is no address matches no network', () => {
  const matches = compileCidrs(['::/0', '0.0.0.0/0'])
  for (const text of [
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.04',
    ':::',
    '::1::',
    'x'.repeat(99),
  ]) {
    assert.equal(matches(text), false, text)
  }
})

test('the parser takes exactly what the platform takes', () => {
  const piece = fc.constantFrom(
    '0',
    '1',
    'ffff',
    '12345',
    '255',
    '256',
    '01',
    ':',
    '::',
    '.',
    'g',
    '1.2.3.4',
    '',
  )
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.array(piece, { maxLength: 16 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, (address) => {
      const parsed = parseAddress(address, new Int32Array(4))
      assert.equal(parsed, address.length <= 64 && isIP(address) !== 0, address)
    }),
    { numRuns: 5000 },
  )
})

test('matching agrees with the BlockList of the platform', () => {
  const v4 = fc
    .tuple(fc.ipV4(), fc.nat(32))
    .map(([net, length]) => ({ net, length, family: 'ipv4' as const }))
  const v6 = fc
    .tuple(fc.ipV6(), fc.nat(128))
    .map(([net, length]) => ({ net, length, family: 'ipv6' as const }))
  const near = fc.tuple(fc.oneof(v4, v6), fc.oneof(fc.ipV4(), fc.ipV6()), fc.boolean())
  fc.assert(
    fc.property(near, ([{ net, length, family }, other, self]) => {
      const address = self ? net : other
      const addressFamily = isIP(address) === 4 ? 'ipv4' : 'ipv6'
      // The platform keeps families apart except for mapped addresses; compare like with like.
      if (addressFamily !== family) return
      const list = new BlockList()
      list.addSubnet(net, length, family)
      assert.equal(compileCidrs([`${net}/${length}`])(address), list.check(address, addressFamily))
    }),
    { numRuns: 3000 },
  )
})
