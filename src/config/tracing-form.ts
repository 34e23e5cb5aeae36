/** How `tracing` is written in `gatewright.yaml`, and what of it the standard variables of OpenTelemetry fill in. */
import { type Static, Type } from 'typebox'
import { defaultSamplingRatio, type ParentHandling, propagations } from '../domain/tracing.ts'
import { parseOrigin } from '../egress/index.ts'
import { Fault } from '../kernel/fault.ts'

const optional = Type.Optional
const closed = { additionalProperties: false }
const reference = (description: string) =>
  Type.String({ description, pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$' })
const share = (description: string) => Type.Number({ description, minimum: 0, maximum: 1 })
const names = (description: string) =>
  optional(Type.Array(Type.String({ minLength: 1 }), { description, maxItems: 256 }))
const propagation = (description: string) =>
  Type.Union(
    propagations.map((each) => Type.Literal(each)),
    { description, default: 'private' },
  )

const rule = Type.Object(
  {
    operations: names('Operation ids, or patterns with a trailing `*`; all when left out.'),
    models: names('Names of model routes, or patterns with a trailing `*`; all when left out.'),
    ratio: share('Share of these exchanges.'),
  },
  closed,
)

const tail = Type.Object(
  {
    errors: Type.Boolean({
      description: 'Keep traces in which an exchange or a call of a provider failed.',
      default: true,
    }),
    refused: Type.Boolean({ description: 'Keep traces in which a request was refused.', default: true }),
    slowMs: optional(Type.Integer({ description: 'Keep exchanges that took so long.', minimum: 1 })),
    costUsd: optional(
      Type.Number({ description: 'Keep exchanges that cost so much, US dollars.', minimum: 0 }),
    ),
    ratio: Type.Number({ description: 'Share of all other traces.', minimum: 0, maximum: 1, default: 0.1 }),
    waitMs: Type.Integer({
      description: 'How long exchanges of one trace wait for each other.',
      default: 2000,
      minimum: 0,
      maximum: 60_000,
    }),
  },
  {
    ...closed,
    description:
      'Which of the sampled traces are sent, decided when it is known what became of them; all when left out.',
  },
)

const sampling = Type.Object(
  {
    ratio: optional(
      share(
        `Share of the exchanges that have no parent and that no rule names; ${defaultSamplingRatio} when left out.`,
      ),
    ),
    errors: Type.Boolean({
      description:
        'Tell of exchanges that failed (status 5xx, broken streams) even where they are not in the sample.',
      default: true,
    }),
    rules: Type.Array(rule, {
      description: 'Shares of their own; the first that fits counts.',
      default: [],
      maxItems: 64,
    }),
    tail: optional(tail),
  },
  { ...closed, description: 'Which exchanges are traced.', default: {} },
)

const propagate = Type.Object(
  {
    context: propagation(
      'Which deployments get `traceparent`: `private` are those with `allowPrivateNetwork`; a vendor gets none unless asked for.',
    ),
    state: propagation('Which of these get the `tracestate` of the caller, too.'),
    deployments: Type.Array(Type.String(), {
      description: 'Slugs of further deployments that get `traceparent`.',
      default: [],
      maxItems: 1000,
    }),
  },
  { ...closed, description: 'Where the context of a trace is sent on to.', default: {} },
)

/** Names of attributes: what OpenTelemetry's own look like. */
const attributeName = /^[A-Za-z][A-Za-z0-9._-]{0,254}$/
const maxResourceAttributes = 64

export const tracingFields = {
  endpoint: optional(
    Type.String({
      description:
        'Receiver of OTLP/HTTP, whole: `https://host:4318/v1/traces`. Nothing is traced without one.',
      maxLength: 2048,
    }),
  ),
  allowPrivateNetwork: Type.Boolean({
    description:
      'Let the host of the receiver resolve to private or loopback addresses, and let the URL be http:.',
    default: false,
  }),
  protocol: optional(
    Type.Union([Type.Literal('http/protobuf'), Type.Literal('http/json')], {
      description: 'Encoding; `http/protobuf` when left out.',
    }),
  ),
  compression: optional(
    Type.Union([Type.Literal('gzip'), Type.Literal('none')], { description: '`gzip` when left out.' }),
  ),
  headers: optional(
    Type.Record(Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$' }), reference('A secret.'), {
      description:
        'Headers for the receiver: name, and where the value is read from (`env:NAME` or `file:/absolute/path`).',
    }),
  ),
  headerList: optional(
    reference(
      'Where a list of such headers is read from, written `name=value,name=value` with values percent-encoded.',
    ),
  ),
  timeoutMs: optional(
    Type.Integer({ description: 'Longest call; 10000 when left out.', minimum: 100, maximum: 600_000 }),
  ),
  serviceName: optional(
    Type.String({
      description: '`service.name` of the spans; `gatewright` when left out.',
      minLength: 1,
      maxLength: 255,
    }),
  ),
  resourceAttributes: optional(
    Type.Record(Type.String({ pattern: attributeName.source }), Type.String({ maxLength: 1024 }), {
      description:
        'Further attributes of the resource that the spans are of, such as `deployment.environment.name`.',
      maxProperties: maxResourceAttributes,
    }),
  ),
  parents: optional(
    Type.Union([Type.Literal('follow'), Type.Literal('continue'), Type.Literal('ignore')], {
      description:
        '`follow`: a caller’s `traceparent` is continued, with its decision; so when left out. `continue`: its trace is continued, the decision is ours. `ignore`: each exchange begins a trace.',
    }),
  ),
  sampling,
  propagate,
  stages: Type.Boolean({ description: 'Stages of the pipeline as events of the span.', default: false }),
  content: Type.Union([Type.Literal('none'), Type.Literal('reference')], {
    description:
      'Content never stands in a span. `reference`: where content is logged, the span names its id.',
    default: 'none',
  }),
}

const section = Type.Object(tracingFields)
export type TracingConfig = Static<typeof section>

interface TracedConfig {
  readonly tracing: TracingConfig
}

/** What the schema cannot say. */
export function tracingProblems({ tracing }: TracedConfig): { path: string[]; reason: string }[] {
  if (tracing.endpoint === undefined) return []
  const parsed = parseOrigin(tracing.endpoint, tracing)
  if (!(parsed instanceof Fault)) return []
  return [{ path: ['tracing', 'endpoint'], reason: `is refused: ${parsed.publicText}` }]
}

const ownName = /^[\x20-\x7e]{1,255}$/

/**
 * The section with what the environment says in the variables that OpenTelemetry names; the file goes before them. An
 * endpoint of the environment may lie in a private network: whoever sets the environment runs the process.
 */
export function withTelemetryEnvironment(
  tracing: TracingConfig,
  environment: Readonly<Record<string, string | undefined>>,
): TracingConfig {
  const read = (name: string): string | undefined =>
    environment[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || environment[`OTEL_EXPORTER_OTLP_${name}`] || undefined
  const isOff = environment['OTEL_SDK_DISABLED'] === 'true' || environment['OTEL_TRACES_EXPORTER'] === 'none'
  const found = isOff ? undefined : endpointOf(environment)
  const { endpoint = found } = tracing
  if (endpoint === undefined) return tracing
  const isFound = tracing.endpoint === undefined
  const protocol = read('PROTOCOL')
  const compression = read('COMPRESSION')
  const timeoutMs = Number(read('TIMEOUT'))
  const given = resourceOf(environment['OTEL_RESOURCE_ATTRIBUTES'])
  const name = environment['OTEL_SERVICE_NAME'] || given['service.name'] || ''
  const sampler = samplerOf(environment)
  const list = ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS'].find(
    (each) => environment[each],
  )
  return {
    ...(protocol === 'http/json' || protocol === 'http/protobuf' ? { protocol } : {}),
    ...(compression === 'gzip' || compression === 'none' ? { compression } : {}),
    ...(timeoutMs >= 100 && timeoutMs <= 600_000 ? { timeoutMs: Math.round(timeoutMs) } : {}),
    ...(ownName.test(name) ? { serviceName: name } : {}),
    ...(sampler === null ? {} : { parents: sampler.parents }),
    // Headers of the environment belong to its own endpoint; another one must not get them.
    ...(isFound && list !== undefined ? { headerList: `env:${list}` } : {}),
    ...tracing,
    resourceAttributes: { ...given, ...tracing.resourceAttributes },
    sampling: { ...(sampler === null ? {} : { ratio: sampler.ratio }), ...tracing.sampling },
    endpoint,
    allowPrivateNetwork: tracing.allowPrivateNetwork || isFound,
  }
}

interface Sampler {
  readonly ratio: number
  readonly parents: ParentHandling
}

/** Shares of the samplers that OpenTelemetry names; null: `OTEL_TRACES_SAMPLER_ARG` says. */
const samplers: ReadonlyMap<string, number | null> = new Map([
  ['always_on', 1],
  ['always_off', 0],
  ['traceidratio', null],
])
const parentBased = 'parentbased_'

/** Null: none is named, or one that is not ours (`jaeger_remote`, `xray`). */
function samplerOf(environment: Readonly<Record<string, string | undefined>>): Sampler | null {
  const name = environment['OTEL_TRACES_SAMPLER'] ?? ''
  const isBased = name.startsWith(parentBased)
  const share = samplers.get(isBased ? name.slice(parentBased.length) : name)
  if (share === undefined) return null
  const argument = environment['OTEL_TRACES_SAMPLER_ARG'] ?? ''
  const asked = argument.trim() === '' ? Number.NaN : Number(argument)
  // The specification: an argument that is none is as if it were not there, and the share is then all.
  const ratio = share ?? (asked >= 0 && asked <= 1 ? asked : 1)
  return { ratio, parents: isBased ? 'follow' : 'continue' }
}

/**
 * `key=value,key=value` with values percent-encoded. Malformed: as if it were not there (Resource SDK specification).
 * Bound: the first `maxResourceAttributes`.
 */
function resourceOf(text = ''): Record<string, string> {
  const found: Record<string, string> = Object.create(null)
  try {
    for (const pair of text.split(',').slice(0, maxResourceAttributes)) {
      if (pair.trim() === '') continue
      const mark = pair.indexOf('=')
      const name = pair.slice(0, Math.max(0, mark)).trim()
      const value = decodeURIComponent(pair.slice(mark + 1).trim())
      if (!attributeName.test(name) || value.length > 1024) return {}
      found[name] = value
    }
  } catch {
    return {}
  }
  return { ...found }
}

/** The variable of all signals names a base, to which the path of traces is added (OTLP exporter specification). */
function endpointOf(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const own = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
  if (own) return own
  const base = environment['OTEL_EXPORTER_OTLP_ENDPOINT']
  return base ? `${base.replace(/\/$/, '')}/v1/traces` : undefined
}
