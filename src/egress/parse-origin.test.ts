import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../kernel/fault.ts'
import { classifyAddress, isAddressAllowed } from './classify-address.ts'
import { fillBaseUrl, parseOrigin } from './parse-origin.ts'

const strict = { allowPrivateNetwork: false }
const lenient = { allowPrivateNetwork: true }

function parsed(url: string, policy = strict): object {
  const result = parseOrigin(url, policy)
  assert.ok(!(result instanceof Fault), `${url}: ${result instanceof Fault ? result.message : ''}`)
  const { origin, basePath } = result
  return [origin.protocol, origin.host, origin.port, basePath]
}

describe('parseOrigin accepts', () => {
  const rows: readonly (readonly [string, readonly [string, string, number, string], typeof strict])[] = [
    ['https://api.openai.com', ['https:', 'api.openai.com', 443, ''], strict],
    ['https://api.openai.com/', ['https:', 'api.openai.com', 443, ''], strict],
    ['https://api.openai.com/v1', ['https:', 'api.openai.com', 443, '/v1'], strict],
    ['https://api.openai.com/v1/', ['https:', 'api.openai.com', 443, '/v1'], strict],
    ['https://API.OpenAI.com:8443/v1/Beta', ['https:', 'api.openai.com', 8443, '/v1/Beta'], strict],
    ['https://my_service.internal/x', ['https:', 'my_service.internal', 443, '/x'], strict],
    ['https://bücher.example/v1', ['https:', 'xn--bcher-kva.example', 443, '/v1'], strict],
    ['https://8.8.8.8/v1', ['https:', '8.8.8.8', 443, '/v1'], strict],
    ['https://[2606:4700::1111]:444/v1', ['https:', '2606:4700::1111', 444, '/v1'], strict],
    ['http://localhost:11434/v1', ['http:', 'localhost', 11434, '/v1'], lenient],
    ['http://127.0.0.1', ['http:', '127.0.0.1', 80, ''], lenient],
    ['http://[::1]:8000', ['http:', '::1', 8000, ''], lenient],
    ['http://10.1.2.3:8000/v1', ['http:', '10.1.2.3', 8000, '/v1'], lenient],
  ]
  for (const [url, expected, policy] of rows) it(url, () => assert.deepEqual(parsed(url, policy), expected))
})

describe('parseOrigin refuses, with and without private networks,', () => {
  const urls: readonly string[] = [
    // Not an https origin
    ...[
      '',
      'api.openai.com',
      '//api.openai.com',
      'ftp://api.openai.com',
      'https:/api.openai.com',
      'https:api.openai.com',
    ],
    ...[
      'HTTPS://api.openai.com',
      ' https://api.openai.com',
      'https://',
      'https:///v1',
      'javascript:alert(1)',
    ],
    // Credentials, query, fragment
    ...[
      'https://user:pass@api.openai.com',
      'https://api.openai.com@evil.example',
      'https://evil.example#.openai.com',
    ],
    ...[
      'https://evil.example?.openai.com',
      'https://api.openai.com/v1?x=1',
      'https://api.openai.com/v1#x',
      'https://@a.example',
    ],
    // What the URL parser repairs
    ...[
      'https://evil.example\\.openai.com',
      'https://api.openai.com\\@evil.example',
      'https://api.open\tai.com',
    ],
    ...[
      'https://api.openai.com/v1\n',
      'https://%65vil.example',
      'https://evil%2eexample',
      'https://api.openai.com/%2e%2e/x',
    ],
    ...[
      'https://api.openai.com/../x',
      'https://api.openai.com/v1/./x',
      'https://api.openai.com//evil.example',
      'https://a.example/v1//',
    ],
    // Other spellings of an address
    ...[
      'https://127.1',
      'https://2130706433',
      'https://0x7f000001',
      'https://0x7f.0.0.1',
      'https://0177.0.0.1',
      'https://017700000001',
    ],
    ...[
      'https://127.0.0.01',
      'https://１２７.0.0.1',
      'https://①②⑦.0.0.1',
      'https://127。0。0。1',
      'https://1.2.3.4.5',
      'https://a.1',
    ],
    ...['https://127.0.0.1.', 'https://0x', 'https://a.0x7f'],
    // Hosts that are none
    ...[
      'https://api.openai.com.',
      'https://a..b',
      'https://.a',
      'https://-a.example',
      'https://a-.example',
      'https://a b.example',
    ],
    ...[
      `https://${'a'.repeat(64)}.example`,
      `https://${'a.'.repeat(127)}example`,
      'https://[::1',
      'https://[::1]x',
      'https://[fe80::1%25eth0]',
    ],
    ...[
      'https://[127.0.0.1]',
      'https://::1',
      'https://a<b.example',
      'https://a^b.example',
      'https://{resource}.openai.azure.com',
    ],
    // Ports
    ...[
      'https://a.example:',
      'https://a.example:0',
      'https://a.example:65536',
      'https://a.example:443443',
      'https://a.example:+443',
      'https://a.example:80:80',
    ],
    `https://a.example/${'x'.repeat(2048)}`,
    // Addresses never allowed
    ...[
      'https://169.254.169.254',
      'https://[fd00:ec2::254]',
      'https://[::ffff:169.254.169.254]',
      'https://169.254.1.1',
    ],
    ...[
      'https://0.0.0.0',
      'https://[::]',
      'https://224.0.0.1',
      'https://[2002:7f00:1::]',
      'https://[64:ff9b::a9fe:a9fe]',
    ],
  ]
  for (const url of urls) {
    it(JSON.stringify(url.slice(0, 80)), () => {
      for (const policy of [strict, lenient]) {
        const result = parseOrigin(url, policy)
        assert.ok(result instanceof Fault, JSON.stringify(result))
        assert.equal(result.code, 'request.invalid-field')
      }
    })
  }
})

describe('parseOrigin', () => {
  it('refuses http: and private addresses unless private networks are allowed', () => {
    for (const url of [
      'http://api.openai.com',
      'https://127.0.0.1',
      'https://10.0.0.1',
      'https://[::1]',
      'https://100.64.0.1',
    ]) {
      assert.ok(parseOrigin(url, strict) instanceof Fault, url)
      assert.ok(!(parseOrigin(url, lenient) instanceof Fault), url)
    }
  })

  it('never disagrees with the URL parser about the host, nor lets a denied address pass', () => {
    const piece = fc.constantFrom(
      ...[
        'a',
        'evil.example',
        '127',
        '.',
        '0x7f',
        '1',
        '@',
        ':',
        '/',
        '\\',
        '#',
        '?',
        '%2e',
        '[',
        ']',
        '::1',
        '443',
        '。',
        '１',
        ' ',
      ],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const url = `https://${pieces.join('')}`
        const result = parseOrigin(url, strict)
        if (result instanceof Fault) return
        const { hostname, port, pathname } = new URL(url)
        assert.equal(result.origin.host, hostname.replace(/^\[(.*)\]$/, '$1'))
        assert.equal(result.origin.port, port === '' ? 443 : Number(port))
        assert.equal(result.basePath, pathname.replace(/\/$/, ''))
        const addressClass = classifyAddress(result.origin.host)
        assert.ok(addressClass === 'invalid' || isAddressAllowed(addressClass, false))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('fillBaseUrl', () => {
  const template = 'https://{resource}.openai.azure.com/openai/{project}'

  it('fills plain values', () => {
    const filled = fillBaseUrl(template, { resource: 'my-Res1', project: 'proj.v1_a' })
    assert.equal(filled, 'https://my-Res1.openai.azure.com/openai/proj.v1_a')
  })

  for (const resource of [
    'evil#',
    'evil/',
    'evil.example/',
    'user@evil',
    'evil\\',
    'evil?',
    'evil:443',
    'a.b',
    '-a',
    'a-',
    '',
    '%23',
    'é',
    'a b',
  ]) {
    it(`refuses ${JSON.stringify(resource)} for a part of the host`, () => {
      const filled = fillBaseUrl(template, { resource, project: 'p' })
      assert.ok(filled instanceof Fault)
      assert.equal(filled.param, 'settings.resource')
    })
  }

  for (const project of ['..', '.', 'a/b', '../x', 'a#', 'a?b', '%2e%2e', 'a\\b', 'a b', '']) {
    it(`refuses ${JSON.stringify(project)} for a part of the path`, () => {
      const filled = fillBaseUrl(template, { resource: 'r', project })
      assert.ok(filled instanceof Fault)
      assert.equal(filled.param, 'settings.project')
    })
  }

  it('names a setting that is missing, even one that every object inherits', () => {
    assert.ok(fillBaseUrl(template, { resource: 'r' }) instanceof Fault)
    assert.ok(fillBaseUrl('https://{constructor}.example', {}) instanceof Fault)
  })

  it('never moves the host out of the template, whatever the settings', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (resource, project) => {
        const filled = fillBaseUrl(template, { resource, project })
        if (filled instanceof Fault) return
        const result = parseOrigin(filled, strict)
        assert.ok(!(result instanceof Fault))
        assert.ok(result.origin.host.endsWith('.openai.azure.com'))
        assert.ok(result.basePath.startsWith('/openai/'))
      }),
    )
  })
})
