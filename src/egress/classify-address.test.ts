import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type AddressClass, classifyAddress, isAddressAllowed } from './classify-address.ts'

const rows: readonly (readonly [AddressClass, readonly string[]])[] = [
  [
    'public',
    [
      '8.8.8.8',
      '1.1.1.1',
      '172.15.255.255',
      '172.32.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '223.255.255.255',
    ],
  ],
  [
    'public',
    ['2606:4700::1111', '2a00:1450:4001::200e', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8', '64:ff9b::808:808'],
  ],
  [
    'loopback',
    ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::127.0.0.1'],
  ],
  [
    'private',
    ['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.1.1', '::ffff:10.0.0.1'],
  ],
  ['private', ['fc00::1', 'fd12:3456::1', '64:ff9b::10.0.0.1', '64:ff9b::c0a8:101']],
  ['shared', ['100.64.0.1', '100.127.255.255', '::ffff:100.64.0.1']],
  ['link-local', ['169.254.0.1', '169.254.169.253', 'fe80::1', 'febf::1', '::ffff:169.254.1.1']],
  ['metadata', ['169.254.169.254', '169.254.170.2', '169.254.170.23', '100.100.100.200', '168.63.129.16']],
  ['metadata', ['192.0.0.192', 'fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254', 'fe80::a9fe:a9fe']],
  [
    'metadata',
    ['::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '64:ff9b::169.254.169.254', '64:ff9b::a9fe:a9fe'],
  ],
  ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1', '::ffff:224.0.0.1']],
  ['unspecified', ['0.0.0.0', '0.1.2.3', '::', '::ffff:0.0.0.0']],
  ['transition', ['2002:7f00:1::', '2002:a9fe:a9fe::', '2002:808:808::1', '2001::1', '2001:0:4136:e378::1']],
  ['transition', ['::127.0.0.1', '::8.8.8.8', '::ffff:0:127.0.0.1', '64:ff9b:1::1', '64:ff9b:1:ffff::a00:1']],
  [
    'reserved',
    ['192.0.0.1', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1'],
  ],
  [
    'reserved',
    ['240.0.0.1', '255.255.255.255', '2001:db8::1', '2001:2::1', '2001:20::1', '3fff::1', '100::1'],
  ],
  ['reserved', ['fec0::1', '5f00::1', '4000::1', '64:ff9b:2::1', 'e000::1']],
  [
    'invalid',
    ['', 'localhost', '127.1', '0x7f.1', '0177.0.0.1', '2130706433', '1.2.3.4.5', '1.2.3.256', ' 127.0.0.1'],
  ],
  ['invalid', ['fe80::1%eth0', '::1%1', '[::1]', '::ffff:1.2.3', '1::2::3', '127.0.0.1\n']],
]

describe('classifyAddress', () => {
  for (const [expected, addresses] of rows) {
    for (const address of addresses) {
      it(`${JSON.stringify(address)} is ${expected}`, () => assert.equal(classifyAddress(address), expected))
    }
  }

  it('judges every v4 address alike when it is v4-mapped or behind NAT64', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const plain = classifyAddress(address)
        assert.equal(classifyAddress(`::ffff:${address}`), plain)
        assert.equal(classifyAddress(`64:ff9b::${address}`), plain)
      }),
    )
  })

  it('never takes a v6 address outside of 2000::/3 for public, unless it carries a public v4 address', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        if (classifyAddress(address) !== 'public') return
        const carries = /^(0*:){0,6}:?(0*:)*(ffff|FFFF):|^0*64:(ff9b|FF9B):/i.test(address)
        assert.ok(/^[23]/.test(address) || carries, address)
      }),
    )
  })
})

describe('isAddressAllowed', () => {
  it('admits public addresses only, and with allowPrivateNetwork the private, shared and loopback ones', () => {
    const classes = [...new Set(rows.map(([addressClass]) => addressClass))]
    assert.deepEqual(
      classes.filter((addressClass) => isAddressAllowed(addressClass, false)),
      ['public'],
    )
    assert.deepEqual(
      classes.filter((addressClass) => isAddressAllowed(addressClass, true)),
      ['public', 'loopback', 'private', 'shared'],
    )
  })
})
