import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultConfig } from './load.ts'
import { tracingProblems, withTelemetryEnvironment } from './tracing-form.ts'

const { tracing } = defaultConfig()

test('nothing is traced unless somebody names a receiver', () => {
  assert.equal(tracing.endpoint, undefined)
  assert.equal(withTelemetryEnvironment(tracing, { OTEL_SERVICE_NAME: 'x' }).endpoint, undefined)
})

test('the variables of OpenTelemetry fill in what the file leaves out', () => {
  const found = withTelemetryEnvironment(tracing, {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318/',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '2500',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret',
    OTEL_SERVICE_NAME: 'edge',
  })
  assert.deepEqual(
    [
      found.endpoint,
      found.protocol,
      found.timeoutMs,
      found.serviceName,
      found.headerList,
      found.allowPrivateNetwork,
    ],
    ['http://localhost:4318/v1/traces', 'http/json', 2500, 'edge', 'env:OTEL_EXPORTER_OTLP_HEADERS', true],
  )
  const own = withTelemetryEnvironment(tracing, {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:1',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:1/own',
  })
  assert.equal(own.endpoint, 'http://traces:1/own')
  for (const off of [{ OTEL_SDK_DISABLED: 'true' }, { OTEL_TRACES_EXPORTER: 'none' }])
    assert.equal(
      withTelemetryEnvironment(tracing, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:1', ...off }).endpoint,
      undefined,
    )
})

test('the file goes before them, and a receiver of the file never gets the headers of another', () => {
  const file = { ...tracing, endpoint: 'https://otel.example/v1/traces', protocol: 'http/protobuf' as const }
  const merged = withTelemetryEnvironment(file, {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:1',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret',
  })
  assert.deepEqual(
    [merged.endpoint, merged.protocol, merged.headerList, merged.allowPrivateNetwork],
    ['https://otel.example/v1/traces', 'http/protobuf', undefined, false],
  )
})

test('the sampler of the environment decides where the file says nothing of it', () => {
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:1' }
  const sampled = (name: string, argument = '') => {
    const own = { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument }
    const { sampling, parents } = withTelemetryEnvironment(tracing, { ...environment, ...own })
    return [sampling.ratio, parents]
  }
  assert.deepEqual(sampled('always_on'), [1, 'continue'])
  assert.deepEqual(sampled('always_off'), [0, 'continue'])
  assert.deepEqual(sampled('traceidratio', '0.25'), [0.25, 'continue'])
  assert.deepEqual(sampled('parentbased_traceidratio', '0.25'), [0.25, 'follow'])
  assert.deepEqual(sampled('parentbased_always_off', '0.25'), [0, 'follow'])
  for (const wrong of ['', 'half', '1.5', '-1'])
    assert.deepEqual(sampled('parentbased_traceidratio', wrong), [1, 'follow'])
  for (const foreign of ['jaeger_remote', 'xray', '', 'constructor'])
    assert.deepEqual(sampled(foreign, '0.5'), [undefined, undefined])
  const file = { ...tracing, parents: 'ignore' as const, sampling: { ...tracing.sampling, ratio: 0.5 } }
  const found = withTelemetryEnvironment(file, { ...environment, OTEL_TRACES_SAMPLER: 'always_on' })
  assert.deepEqual([found.sampling.ratio, found.parents], [0.5, 'ignore'])
})

test('attributes of the resource come from file and environment; the file and the own name go first', () => {
  const found = (text: string, changes: Partial<typeof tracing> = {}, name = '') =>
    withTelemetryEnvironment(
      { ...tracing, ...changes },
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:1',
        OTEL_RESOURCE_ATTRIBUTES: text,
        OTEL_SERVICE_NAME: name,
      },
    )
  const both = found('service.name=a, deployment.environment.name=a%2Cb ,team=x', {
    resourceAttributes: { team: 'y' },
  })
  assert.deepEqual(both.resourceAttributes, {
    'service.name': 'a',
    'deployment.environment.name': 'a,b',
    team: 'y',
  })
  assert.equal(both.serviceName, 'a')
  assert.equal(found('service.name=a', {}, 'b').serviceName, 'b')
  assert.equal(found('service.name=a', { serviceName: 'c' }, 'b').serviceName, 'c')
  for (const malformed of ['team', 'team=%zz', '=x', 'a b=c', 'team=x,__proto__=y'])
    assert.deepEqual(found(malformed).resourceAttributes, {}, malformed)
})

test('an address that the egress guard would refuse is refused at once', () => {
  const problems = (endpoint: string, allowPrivateNetwork = false) =>
    tracingProblems({ tracing: { ...tracing, endpoint, allowPrivateNetwork } }).map(({ path }) =>
      path.join('.'),
    )
  assert.deepEqual(problems('https://otel.example:4318/v1/traces'), [])
  assert.deepEqual(problems('http://127.0.0.1:4318/v1/traces'), ['tracing.endpoint'])
  assert.deepEqual(problems('http://127.0.0.1:4318/v1/traces', true), [])
  assert.deepEqual(problems('https://user:word@otel.example/'), ['tracing.endpoint'])
  assert.deepEqual(problems('http://169.254.169.254/', true), ['tracing.endpoint'])
})
