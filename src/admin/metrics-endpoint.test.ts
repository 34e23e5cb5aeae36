import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExposition } from '../telemetry/harness/parse-exposition.ts'
import { withAdmin } from './harness/with-admin.ts'

interface Scrape {
  readonly from?: string
  readonly host?: string
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

const away = '203.0.113.9'

test(
  'metrics are told on this machine without a token, elsewhere to tokens that may read everything',
  withAdmin(async ({ app, token }) => {
    const scrape = async ({ from = '127.0.0.1', host = 'localhost:9080', token: own, headers }: Scrape) => {
      const answer = await app.inject({
        url: '/metrics',
        remoteAddress: from,
        headers: { host, ...headers, ...(own === undefined ? {} : { authorization: `Bearer ${own}` }) },
      })
      return answer.statusCode
    }
    const [reader, writer, bound] = [
      await token(['read']),
      await token(['write']),
      await token(['read'], 'globex'),
    ]
    const expected: readonly (readonly [string, Scrape, number])[] = [
      ['loopback', {}, 200],
      ['IPv6 loopback', { from: '::1', host: '[::1]:9080' }, 200],
      ['mapped loopback', { from: '::ffff:127.0.0.1', host: '127.0.0.1' }, 200],
      ['elsewhere', { from: away }, 401],
      ['elsewhere, that looks like loopback', { from: '127.evil' }, 401],
      [
        'elsewhere, as loopback by a header',
        { from: away, headers: { 'x-forwarded-for': '127.0.0.1' } },
        401,
      ],
      ['a proxy on this machine', { headers: { 'x-forwarded-for': away } }, 401],
      ['a proxy on this machine, RFC 7239', { headers: { forwarded: `for=${away}` } }, 401],
      ['a browser under another name', { host: 'rebound.example:9080' }, 401],
      ['a token that reads, elsewhere', { from: away, token: reader }, 200],
      ['a token that reads, through a proxy', { headers: { via: '1.1 proxy' }, token: reader }, 200],
      ['a token that does not read', { from: away, token: writer }, 403],
      ['a token of one organization', { from: away, token: bound }, 403],
      ['a token of one organization, loopback', { token: bound }, 403],
      ['no token at all, but said to be one, loopback', { token: 'gwa_nonsense' }, 401],
    ]
    for (const [who, request, status] of expected) assert.equal(await scrape(request), status, who)
  }),
)

test(
  'a scraper gets the format that it asks for, with the headers of the API',
  withAdmin(async ({ app }) => {
    const plain = await app.inject({ url: '/metrics' })
    assert.equal(plain.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
    assert.equal(plain.headers['cache-control'], 'no-store')
    const [family] = parseExposition(plain.body, 'prometheus')
    assert.deepEqual(family?.samples, [{ name: 'gatewright_thread_restarts_total', labels: {}, value: 4 }])
    const accept = 'application/openmetrics-text;version=1.0.0'
    const open = await app.inject({ url: '/metrics', headers: { accept } })
    assert.equal(open.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8')
    assert.equal(parseExposition(open.body, 'openmetrics')[0]?.name, 'gatewright_thread_restarts')
    assert.equal((await app.inject({ method: 'POST', url: '/metrics' })).statusCode, 404)
  }),
)
