import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { ConfigError, describeProblem } from '../faults/config-error.ts'
import { defaultConfig, loadConfig, parseResources, readSecretReference } from './load.ts'
import { parseConfigText } from './parse.ts'
import { configSchema } from './schema.ts'

function directoryWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-config-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

function problemsOf(step: () => unknown): string[] {
  try {
    step()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(describeProblem)
    throw error
  }
  return []
}
const parse = (text: string) => parseConfigText(text, 'gw.yaml', configSchema)

test('without a file, and with an empty one, the defaults hold', (t) => {
  const directory = directoryWith(t, { 'empty.yaml': '' })
  const bare = loadConfig({ environment: {}, directory })
  assert.equal(bare.file, null)
  assert.deepEqual(bare.config, { ...defaultConfig(), dataDir: join(directory, 'data') })
  assert.deepEqual(loadConfig({ environment: {}, directory, file: 'empty.yaml' }).config, bare.config)
})

test('defaults are safe: loopback alone, no trusted proxy, no content kept', () => {
  const config = defaultConfig()
  for (const { host } of [
    config.gateway.http,
    config.gateway.https,
    config.control.http,
    config.control.https,
  ]) {
    assert.equal(host, '127.0.0.1')
  }
  assert.deepEqual(config.gateway.trustedProxies, [])
  assert.deepEqual([config.contentLog.enabled, config.sandbox.enabled], [false, 'auto'])
})

test('each problem is told with file, line and path, all of them at once', () => {
  const text =
    'bounds:\n  jsonDepht: 10\n  jsonKeys: many\n\ngateway:\n  http:\n    port: 70000\nmodels:\n  - name: m\n'
  const problems = problemsOf(() => parse(text))
  assert.ok(problems.includes('gw.yaml:2: bounds.jsonDepht: is not a known key'), problems.join('\n'))
  for (const place of [
    'gw.yaml:3: bounds.jsonKeys:',
    'gw.yaml:7: gateway.http.port:',
    'gw.yaml:9: models[0]',
  ]) {
    assert.ok(
      problems.some((problem) => problem.startsWith(place)),
      `${place} in ${problems.join('\n')}`,
    )
  }
})

test('broken YAML, keys twice and too many aliases are refused with their line', () => {
  assert.match(problemsOf(() => parse('bounds:\n  jsonDepth: [1\n'))[0] ?? '', /^gw\.yaml:\d+: /)
  assert.match(problemsOf(() => parse('bounds: {}\nbounds: {}\n'))[0] ?? '', /^gw\.yaml:\d+: .*unique/i)
  const bomb = `a: &a [${'x,'.repeat(50)}]\nb: &b [${'*a,'.repeat(50)}]\nc: [${'*b,'.repeat(50)}]\n`
  assert.ok(problemsOf(() => parse(bomb)).length > 0)
  assert.match(problemsOf(() => parse(' '.repeat(4_194_305)))[0] ?? '', /larger than/)
})

test('a secret that is written into the file is refused, and not repeated', () => {
  const text = 'deployments:\n  - { slug: a, provider: openai, credential: { apiKey: sk-written-here } }\n'
  const problems = problemsOf(() => parse(text)).join()
  assert.match(problems, /deployments\[0\]\.credential\.apiKey/)
  assert.doesNotMatch(problems, /sk-written-here/)
})

test('what stands among networks and is none is refused at its place', (t) => {
  const directory = directoryWith(t, {
    'a.yaml': 'gateway:\n  trustedProxies:\n    - 10.0.0.0/8\n    - 10.0.0.0/33\n',
    'b.yaml': 'gateway:\n  https: { proxyProtocolFrom: [load-balancer] }\n',
    'c.yaml': 'gateway:\n  https: { proxyProtocolFrom: [10.0.0.0/8, 2001:db8::7] }\n',
  })
  const load = (file: string) => problemsOf(() => loadConfig({ environment: {}, directory, file }))
  assert.match(load('a.yaml').join(), /a\.yaml:4: gateway\.trustedProxies\[1\]: is no network/)
  assert.match(load('b.yaml').join(), /gateway\.https\.proxyProtocolFrom\[0\]: is no network/)
  assert.deepEqual(load('c.yaml'), [])
})

test('plain HTTP binds to loopback only, on both planes; certificate and key go together', (t) => {
  const directory = directoryWith(t, {
    'a.yaml': 'gateway:\n  http:\n    host: 0.0.0.0\n',
    'b.yaml': 'control:\n  http: { host: "192.168.1.1" }\n',
    'c.yaml': 'tls:\n  keyFile: x\n',
    'e.yaml': 'storage:\n  kind: postgres\n',
    'f.yaml': 'storage:\n  url: env:DATABASE_URL\n',
    'g.yaml': 'storage: { kind: postgres, url: "postgres://gate:secret@db/wright" }\n',
    'h.yaml': 'storage: { kind: postgres, url: env:DATABASE_URL, tls: { keyFile: x } }\n',
    'd.yaml': 'gateway:\n  http: { enabled: false, host: 0.0.0.0 }\n  https: { host: 0.0.0.0 }\n',
  })
  const load = (file: string) => problemsOf(() => loadConfig({ environment: {}, directory, file }))
  assert.match(load('a.yaml').join(), /a\.yaml:3: gateway\.http\.host: plain HTTP binds to loopback only/)
  assert.match(load('b.yaml').join(), /b\.yaml:2: control\.http\.host/)
  assert.match(load('c.yaml').join(), /c\.yaml:\d+: tls: certificateFile and keyFile go together/)
  assert.match(load('e.yaml').join(), /storage\.url: says where the URL of the database is read from/)
  assert.match(load('f.yaml').join(), /storage\.url: goes with kind: postgres/)
  assert.match(load('g.yaml').join(), /storage\.url/)
  assert.doesNotMatch(load('g.yaml').join(), /secret@/)
  assert.match(load('h.yaml').join(), /storage\.tls: certificateFile and keyFile go together/)
  assert.deepEqual(load('d.yaml'), [])
})

test('the command line goes before the environment, the environment before the file', (t) => {
  const directory = directoryWith(t, {
    'gatewright.yaml': 'dataDir: of-file',
    'other.yaml': 'dataDir: of-other',
  })
  const load = (environment: Record<string, string>, own: object = {}) =>
    loadConfig({ environment, directory, ...own }).config.dataDir
  assert.equal(load({}), join(directory, 'of-file'))
  assert.equal(load({ GATEWRIGHT_CONFIG: 'other.yaml' }), join(directory, 'of-other'))
  assert.equal(load({ GATEWRIGHT_DATA_DIR: 'of-env' }), join(directory, 'of-env'))
  assert.equal(load({ GATEWRIGHT_DATA_DIR: 'of-env' }, { dataDir: '/given' }), '/given')
  assert.match(
    problemsOf(() => loadConfig({ environment: {}, directory, file: 'gone.yaml' })).join(),
    /does not exist/,
  )
})

test('secrets come by reference from environment and files; what is not there is null', (t) => {
  const directory = directoryWith(t, { 'secret.txt': 'of-file\n', empty: '', large: 'x'.repeat(70_000) })
  const read = (reference: string) => readSecretReference(reference, { KEY: 'of-env', NONE: '' }, directory)
  assert.deepEqual(
    ['env:KEY', 'env:NONE', 'env:GONE', 'file:secret.txt', `file:${join(directory, 'secret.txt')}`].map(read),
    ['of-env', null, null, 'of-file', 'of-file'],
  )
  assert.deepEqual(
    ['file:gone', 'file:empty', 'file:large', 'sk-plain', 'file:.'].map(read),
    Array(5).fill(null),
  )
})

test('a document for apply takes objects and nothing of the server', () => {
  assert.deepEqual(
    parseResources('products: [{ slug: a }]', 'd').value.products?.map((each) => each.slug),
    ['a'],
  )
  assert.match(problemsOf(() => parseResources('bounds: {}', 'd')).join(), /d:1: bounds: is not a known key/)
})

test('a YAML alias shared by two places takes the defaults of each', () => {
  const { value: config } = parse('gateway: { http: &free { port: 0 } }\ncontrol: { http: *free }\n')
  assert.deepEqual([config.gateway.http.port, config.control.http.port], [0, 0])
  assert.equal(config.gateway.workers, 0)
})

test('a whole section may be shared by an alias', () => {
  assert.deepEqual(
    problemsOf(() => parse('gateway: &ports { http: { port: 0 } }\ncontrol: *ports\n')),
    [],
  )
})

test('fuzz: any text is a configuration or a ConfigError, never another error', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.json().map((json) => `bounds: ${json}`),
  )
  fc.assert(
    fc.property(text, (given) => {
      problemsOf(() => parse(given))
    }),
    { numRuns: 300 },
  )
})

test('a limit that cannot be is refused before the start, with its place', (t) => {
  const text = 'limits:\n  - { name: a, meter: requests, amount: 5, window: 40d }\n'
  const directory = directoryWith(t, { 'gatewright.yaml': text })
  const file = join(directory, 'gatewright.yaml')
  const problems = problemsOf(() => loadConfig({ file, environment: {}, directory }))
  assert.deepEqual(problems, [
    `${file}:2: limits[0].window: is longer than 31 days; a budget takes { calendar: month }`,
  ])
})
