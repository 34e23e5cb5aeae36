import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hostField, serializeHead } from './client-request.ts'
import { parseRequestHead } from './head.ts'

const hostLine = 'host: a.example\r\n'
const plain = { method: 'GET', path: '/', headers: [], length: null }

describe('hostField', () => {
  it('names the port only where it is not the usual one, and puts v6 addresses in brackets', () => {
    const field = (protocol: 'http:' | 'https:', host: string, port: number): string =>
      hostField({ protocol, host, port, allowPrivateNetwork: false })
    assert.equal(field('https:', 'a.example', 443), 'a.example')
    assert.equal(field('https:', 'a.example', 80), 'a.example:80')
    assert.equal(field('http:', '127.0.0.1', 80), '127.0.0.1')
    assert.equal(field('https:', '::1', 443), '[::1]')
    assert.equal(field('http:', '::1', 8080), '[::1]:8080')
  })
})

describe('serializeHead', () => {
  it('refuses fields that belong to the connection', () => {
    for (const name of [
      'Host',
      'host',
      'Connection',
      'content-length',
      'Transfer-Encoding',
      'TE',
      'Upgrade',
      'Expect',
    ]) {
      assert.equal(serializeHead(hostLine, { ...plain, headers: [name, '1'] }), null, name)
    }
  })

  it('refuses methods and paths that would break the request line', () => {
    for (const method of ['', 'GET /x', 'G\r\nET', 'CONNECT', 'G\u00c9T']) {
      assert.equal(serializeHead(hostLine, { ...plain, method }), null, method)
    }
    for (const path of [
      '',
      'x',
      '*',
      '/a b',
      '/a\r\nx: y',
      '/a#b',
      '/\u00e4',
      '/\u0000',
      'http://b.example/',
      `/${'a'.repeat(20_000)}`,
    ]) {
      assert.equal(serializeHead(hostLine, { ...plain, path }), null, path.slice(0, 20))
    }
  })

  it('writes, for any headers that it takes, a head that a strict parser reads as the same headers', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('x-a', 'Content-Type', 'a\r\nb: c', 'a:b'),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 8 }), fc.nat(1_000_000), (pairs, length) => {
        const head = serializeHead(hostLine, {
          method: 'POST',
          path: '/v1/x?y=1',
          headers: pairs.flat(),
          length,
        })
        if (head === null) return
        const bytes = Buffer.from(head, 'latin1')
        const parsed = parseRequestHead(bytes, { start: 0, end: bytes.length }, 64)
        assert.ok(typeof parsed !== 'string', parsed.toString())
        const given = pairs.map(([name, value]) => [
          name.toLowerCase(),
          value.replace(/^[ \t]+|[ \t]+$/g, ''),
        ])
        assert.deepEqual(parsed.headers, [
          'host',
          'a.example',
          ...given.flat(),
          'content-length',
          String(length),
        ])
        assert.equal(parsed.contentLength, length)
      }),
      { numRuns: 1000 },
    )
  })
})
