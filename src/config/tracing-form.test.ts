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
