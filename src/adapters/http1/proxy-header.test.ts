import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAddress, parseAddress } from '../../kernel/ip-address.ts'
import { maxProxyHeaderBytes, parseProxyHeader } from './proxy-header.ts'

const signature = '0d0a0d0a000d0a515549540a'

function binary(head: string, ...rest: readonly Buffer[]): Buffer {
  const tail = Buffer.concat(rest)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(tail.length)
  return Buffer.concat([Buffer.from(signature + head, 'hex'), length, tail])
}

const four = Buffer.from('cb007109' + '0a000001' + 'c822' + '20fb', 'hex')
const six = Buffer.from(`20010db8${'0'.repeat(22)}07${'0'.repeat(32)}c82220fb`, 'hex')

function addressOf(bytes: Buffer | string): string | null {
  const parsed = parseProxyHeader(Buffer.from(bytes))
  assert.ok(typeof parsed === 'object', `${parsed}`)
  assert.equal(parsed.length, bytes.length)
  return parsed.address
}

test('version 1: both families, in one spelling; UNKNOWN is the proxy itself', () => {
  assert.equal(addressOf('PROXY TCP4 203.0.113.9 10.0.0.1 51234 8443\r\n'), '203.0.113.9')
  assert.equal(addressOf('PROXY TCP6 2001:DB8:0::7 ::1 0 65535\r\n'), '2001:db8::7')
  assert.equal(addressOf('PROXY TCP6 ::ffff:203.0.113.9 ::1 1 2\r\n'), '203.0.113.9')
  assert.equal(addressOf('PROXY UNKNOWN\r\n'), null)
  assert.equal(addressOf('PROXY UNKNOWN anything at all 65535\r\n'), null)
})

test('version 2: both families, LOCAL, UNSPEC, and TLVs that are skipped', () => {
  const tlv = Buffer.concat([Buffer.from([0x02, 0x00, 0x05]), Buffer.from('a.com')])
  assert.equal(addressOf(binary('2111', four)), '203.0.113.9')
  assert.equal(addressOf(binary('2121', six)), '2001:db8::7')
  assert.equal(addressOf(binary('2111', four, tlv, tlv)), '203.0.113.9')
  assert.equal(addressOf(binary('2111', four, Buffer.alloc(maxProxyHeaderBytes - 28))), '203.0.113.9')
  assert.equal(addressOf(binary('2000')), null)
  assert.equal(addressOf(binary('2011', four)), null)
  assert.equal(addressOf(binary('2100', tlv)), null)
})

test('what follows the header is not part of it', () => {
  for (const header of [Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n'), binary('2111', four)]) {
    const parsed = parseProxyHeader(Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\n\r\n')]))
    assert.deepEqual(parsed, {
      length: header.length,
      address: header.length < 30 ? '203.0.113.9' : '1.2.3.4',
    })
  }
})

test('what the specification does not write is malformed', () => {
  for (const text of [
    'GET / HTTP/1.1\r\n\r\n',
    'proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n',
    'PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY TCP6 [::1] ::1 1 2\r\n',
    'PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY \r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n',
    `PROXY UNKNOWN ${'a'.repeat(93)}\r\n`,
  ])
    assert.equal(parseProxyHeader(Buffer.from(text.padEnd(108, 'x'))), 'malformed', text)
  for (const bytes of [
    binary('1111', four),
    binary('3111', four),
    binary('2211', four),
    binary('2112', four),
    binary('2131', Buffer.alloc(216)),
    binary('2111', four.subarray(0, 11)),
    binary('2121', four),
    binary('2111', four, Buffer.alloc(maxProxyHeaderBytes)),
    Buffer.from('0d0a0d0a000d0a515549540b', 'hex'),
  ])
    assert.equal(parseProxyHeader(bytes), 'malformed', bytes.toString('hex', 0, 20))
})

test('a part of a header is incomplete, never more and never malformed', () => {
  for (const header of [
    Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::8 51234 8443\r\n'),
    Buffer.from('PROXY UNKNOWN\r\n'),
    binary('2111', four, Buffer.alloc(300)),
    binary('2121', six),
    binary('2000'),
  ])
    for (let length = 0; length < header.length; length += 1)
      assert.equal(parseProxyHeader(header.subarray(0, length)), 'incomplete', `${length}`)
})

test('whatever the bytes, the answer is one of three and the address a canonical one', () => {
  const start = fc.constantFrom(
    Buffer.alloc(0),
    Buffer.from('PROXY '),
    Buffer.from('PROXY TCP4 '),
    Buffer.from(signature, 'hex'),
    Buffer.from(`${signature}2111000c`, 'hex'),
    Buffer.from(`${signature}21210024`, 'hex'),
  )
  const tail = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc
      .array(fc.constantFrom('1.2.3.4', '::1', ' ', '65536', '0', '\r', '\n', 'UNKNOWN'), { maxLength: 20 })
      .map((parts) => Buffer.from(parts.join(''))),
  )
  fc.assert(
    fc.property(start, tail, (head, rest) => {
      const bytes = Buffer.concat([head, rest])
      const parsed = parseProxyHeader(bytes)
      if (typeof parsed === 'string') return
      assert.ok(parsed.length <= bytes.length && parsed.length <= maxProxyHeaderBytes)
      // The answer does not depend on what follows.
      assert.deepEqual(parseProxyHeader(bytes.subarray(0, parsed.length)), parsed)
      if (parsed.address === null) return
      const words = new Int32Array(4)
      assert.ok(parseAddress(parsed.address, words))
      assert.equal(formatAddress(words), parsed.address)
    }),
    { numRuns: 5000 },
  )
})

test('a header made from an address reads as that address', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(65_535), (address, port) => {
      const words = new Int32Array(4)
      assert.ok(parseAddress(address, words))
      const family = address.includes(':') ? 'TCP6' : 'TCP4'
      assert.equal(addressOf(`PROXY ${family} ${address} ${address} ${port} 1\r\n`), formatAddress(words))
      const bytes = Buffer.alloc(36)
      for (let at = 0; at < 4; at += 1) bytes.writeInt32BE(words[at] ?? 0, 4 * at)
      assert.equal(addressOf(binary('2121', bytes)), formatAddress(words))
    }),
    { numRuns: 1000 },
  )
})
