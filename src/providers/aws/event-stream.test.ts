import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { Fault } from '../../kernel/fault.ts'
import {
  type EventStreamHeaderValue,
  encodeEventStreamMessage,
  eventStreamDecoder,
  maxMessageBytes,
} from './event-stream.ts'

interface Plain {
  readonly headers: readonly (readonly [string, EventStreamHeaderValue])[]
  readonly payload: string
}

function decode(bytes: Uint8Array, cut = bytes.length || 1): { messages: Plain[]; pending: number } {
  const decoder = eventStreamDecoder()
  const messages: Plain[] = []
  for (let at = 0; at < bytes.length; at += cut) {
    decoder.push(bytes.subarray(at, at + cut), (message) => {
      messages.push({ headers: [...message.headers], payload: Buffer.from(message.payload).toString() })
    })
  }
  return { messages, pending: decoder.pendingBytes }
}

/** The test vectors that AWS publishes with its event stream implementations (Apache-2.0). */
const vectors: readonly { name: string; hex: string; headers: Plain['headers']; payload: string }[] = [
  { name: 'no headers, no payload', hex: '000000100000000005c248eb7d98c8ff', headers: [], payload: '' },
  {
    name: 'a false header',
    hex: '0000001500000005bd48331403666f6f01004c70c4',
    headers: [['foo', false]],
    payload: '',
  },
  {
    name: 'an integer header',
    hex: '0000002d0000001041c424b80a6576656e742d74797065040000a00c7b27666f6f273a27626172277d36f480a0',
    headers: [['event-type', 40972]],
    payload: "{'foo':'bar'}",
  },
  {
    name: 'a string header',
    hex: '0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1',
    headers: [['content-type', 'application/json']],
    payload: "{'foo':'bar'}",
  },
  {
    name: 'every header type',
    hex: '000000cc000000af0fae64ca0a6576656e742d74797065040000a00c0c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0a626f6f6c2066616c73650109626f6f6c207472756500046279746502cf08627974652062756606001449276d2061206c6974746c6520746561706f74210974696d657374616d70080000000000845fed05696e74313603002a05696e7436340500000000028757b20475756964090102030405060708090a0b0c0d0e0f107b27666f6f273a27626172277daba5f10c',
    headers: [
      ['event-type', 40972],
      ['content-type', 'application/json'],
      ['bool false', false],
      ['bool true', true],
      ['byte', -49],
      ['byte buf', Uint8Array.from(Buffer.from("I'm a little teapot!"))],
      ['timestamp', 8675309n],
      ['int16', 42],
      ['int64', 42424242n],
      ['uuid', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)],
    ],
    payload: "{'foo':'bar'}",
  },
]

for (const vector of vectors) {
  test(`the AWS vector with ${vector.name} decodes as published`, () => {
    const { messages, pending } = decode(Buffer.from(vector.hex, 'hex'))
    assert.deepEqual(messages, [{ headers: vector.headers, payload: vector.payload }])
    assert.equal(pending, 0)
  })
}

test('encoding gives the published bytes', () => {
  const bytes = encodeEventStreamMessage([['content-type', 'application/json']], "{'foo':'bar'}")
  assert.equal(
    Buffer.from(bytes).toString('hex'),
    '0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1',
  )
})

test('any messages survive encoding, any cut, and decoding', () => {
  const header = fc.tuple(fc.string({ maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 80 }))
  const message = fc.record(
    {
      headers: fc.uniqueArray(header, { maxLength: 5, selector: (one) => one[0] }),
      payload: fc.string({ unit: 'grapheme', maxLength: 500 }),
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), fc.integer({ min: 1, max: 64 }), (sent, cut) => {
      const bytes = Buffer.concat(sent.map((one) => encodeEventStreamMessage(one.headers, one.payload)))
      assert.deepEqual(decode(bytes, cut), { messages: sent, pending: 0 })
    }),
    { numRuns: 200 },
  )
})

test('a flipped bit anywhere is refused or leaves the message unfinished, never accepted', () => {
  const bytes = encodeEventStreamMessage([[':event-type', 'messageStart']], '{"role":"assistant"}')
  for (let at = 0; at < bytes.length; at += 1) {
    const broken = Uint8Array.from(bytes)
    broken[at] = (broken[at] ?? 0) ^ 0x10
    assert.throws(
      () => decode(broken),
      (error) => error instanceof Fault && error.code === 'upstream.malformed',
    )
  }
})

test('a length beyond 16 MiB is refused before anything is buffered', () => {
  const prelude = Buffer.alloc(12)
  prelude.writeUInt32BE(maxMessageBytes + 1, 0)
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8)
  assert.throws(() => decode(prelude), /upstream\.malformed/)
})

test('headers that overrun their block are refused', () => {
  const bytes = Buffer.from(encodeEventStreamMessage([['a', 'bcd']], ''))
  bytes.writeUInt16BE(60_000, 12 + 3)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, bytes.length - 4)), bytes.length - 4)
  assert.throws(() => decode(bytes), /upstream\.malformed/)
})

test('a message cut short stays pending', () => {
  const bytes = encodeEventStreamMessage([], 'abc')
  assert.deepEqual(decode(bytes.subarray(0, 10)), { messages: [], pending: 10 })
})
