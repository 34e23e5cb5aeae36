import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ForwardedHeader } from '../domain/snapshot.ts'
import { formatAddress, parseAddress } from '../kernel/ip-address.ts'
import { forwardedHops, maxHops } from './forwarded-hops.ts'

function hops(name: ForwardedHeader, ...lines: readonly string[]): readonly string[] {
  return forwardedHops(
    lines.flatMap((line) => [name, line]),
    name,
  )
}
const list = (...lines: readonly string[]): readonly string[] => hops('x-forwarded-for', ...lines)
const forwarded = (...lines: readonly string[]): readonly string[] => hops('forwarded', ...lines)

test('ports and brackets are taken off, and an address has one spelling', () => {
  assert.deepEqual(list('203.0.113.9:51234'), ['203.0.113.9'])
  assert.deepEqual(list('[2001:DB8::1]:443 , 2001:db8:0::2,[::ffff:10.0.0.1]'), [
    '10.0.0.1',
    '2001:db8::2',
    '2001:db8::1',
  ])
  assert.deepEqual(forwarded('for=203.0.113.9;proto=https;by=10.0.0.1'), ['203.0.113.9'])
  assert.deepEqual(
    forwarded('for=203.0.113.9, For="[2001:db8::1]:443" ; host="a,b;c"', 'for="10.0.0.2:80"'),
    ['10.0.0.2', '2001:db8::1', '203.0.113.9'],
  )
  assert.deepEqual(forwarded('host="a\\",for=6.6.6.6";for=1.2.3.4'), ['1.2.3.4'])
})

test('the list ends where something is no address, and what stands left of it is not believed', () => {
  for (const bad of [
    'unknown',
    '_hidden',
    'fe80::1%eth0',
    '[fe80::1%25eth0]:80',
    '1.2.3.4:',
    '1.2.3.4:99999',
    '1.2.3.4:8a',
    '1.2.3.4:80:80',
    '[1.2.3.4]',
    '[2001:db8::1',
    '2001:db8::1]',
    '[2001:db8::1]x',
    '[2001:db8::1]80',
    '01.2.3.4',
    '1.2.3',
    '0x7f.1',
    'localhost',
    '',
    '"1.2.3.4"',
  ])
    assert.deepEqual(list(`6.6.6.6, ${bad}, 10.0.0.2`), ['10.0.0.2'], bad)
  for (const bad of [
    'for=unknown',
    'for="_hidden"',
    'for=2001:db8::1',
    'for="2001:db8::1"',
    'for=1.2.3.4:80',
    'for="[fe80::1%eth0]"',
    'for=1.2.3.4;for=5.6.7.8',
    'proto=https',
    'for',
    '=1.2.3.4',
    'for=',
    'for="1.2.3.4',
    '',
  ])
    assert.deepEqual(forwarded('for=6.6.6.6', bad, 'for=10.0.0.2'), ['10.0.0.2'], bad)
})

test('only the field that is asked for is read', () => {
  const both = ['forwarded', 'for=1.1.1.1', 'x-forwarded-for', '2.2.2.2']
  assert.deepEqual(forwardedHops(both, 'forwarded'), ['1.1.1.1'])
  assert.deepEqual(forwardedHops(both, 'x-forwarded-for'), ['2.2.2.2'])
})

test('at most sixteen hops are read', () => {
  const many = Array.from({ length: 50 }, (_, index) => `10.0.0.${index}`)
  assert.equal(list(many.join(',')).length, maxHops)
  assert.equal(list(...many).length, maxHops)
  assert.deepEqual(forwarded(many.map((address) => `for=${address}`).join(','))[0], '10.0.0.49')
})

test('whatever a line says, every hop is an address in its one spelling, and few enough', () => {
  const piece = fc.constantFrom(
    ...[
      'for=',
      'for="',
      '"',
      '\\',
      ',',
      ';',
      '=',
      ' ',
      '[',
      ']',
      ':',
      '%eth0',
      '1.2.3.4',
      '::1',
      '80',
      'by=x',
    ],
  )
  const text = fc.oneof(
    fc.array(piece, { maxLength: 24 }).map((parts) => parts.join('')),
    fc.string({ maxLength: 60 }),
  )
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), (lines) => {
      for (const found of [list(...lines), forwarded(...lines)]) {
        assert.ok(found.length <= maxHops)
        for (const hop of found) assert.ok(isIP(hop) !== 0 && !hop.includes('%'), hop)
      }
    }),
    { numRuns: 5000 },
  )
})

test('what a proxy writes is read back, however it writes it', () => {
  const port = fc.option(fc.nat(65_535), { nil: null })
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), port, (address, at) => {
      const words = new Int32Array(4)
      assert.ok(parseAddress(address, words))
      const expected = [formatAddress(words)]
      const node = address.includes(':') ? `[${address}]` : address
      const text = at === null ? node : `${node}:${at}`
      assert.deepEqual(list(text), expected)
      assert.deepEqual(list(address), expected)
      assert.deepEqual(forwarded(`proto=http;for="${text}"`), expected)
    }),
    { numRuns: 1000 },
  )
})
