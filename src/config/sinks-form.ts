/**
 * How `events` and `sinks` are written in `gatewright.yaml`: where what happened is sent, and how surely. Each type of
 * receiver is a row of `sinkTypes`; the settings of an entry stand under the name of its type.
 */
import { type Static, type TObject, Type } from 'typebox'
import { eventSeverities, eventStreams } from '../domain/oversight-event.ts'
import { parseOrigin } from '../egress/index.ts'
import { Fault } from '../kernel/fault.ts'

const closed = { additionalProperties: false }
const { Optional: optional } = Type

const reference = (description: string) =>
  Type.String({ description, pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$' })

const integer = (description: string, value: number, range: readonly [number, number]) =>
  Type.Integer({ description, default: value, minimum: range[0], maximum: range[1] })

const receiver = (what: string) => ({
  url: Type.String({
    description: `${what}: \`https://host[:port][/path]\`, without query.`,
    maxLength: 2048,
  }),
  allowPrivateNetwork: Type.Boolean({
    description: 'Let the host resolve to private or loopback addresses, and let the URL be http:.',
    default: false,
  }),
})
const text = (description: string, value?: string) =>
  Type.String({ description, maxLength: 256, ...(value === undefined ? {} : { default: value }) })
/** Empty: none. */
const optionalReference = (description: string) =>
  Type.String({ description, default: '', pattern: '^(|env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$' })
const choice = <const V extends string>(description: string, values: readonly [V, ...V[]]) =>
  Type.Enum<V[]>([...values], { type: 'string', description, default: values[0] })
const document = choice('Form of each event: Elastic Common Schema or OCSF.', ['ecs', 'ocsf'])
const ownDocument = choice('Form of each event: our own, Elastic Common Schema or OCSF.', [
  'event',
  'ecs',
  'ocsf',
])

/** Settings by type. A new type is a row here and one in `compose/sink-types.ts`. */
export const sinkTypes = {
  jsonlFile: Type.Object(
    {
      path: Type.String({
        description: 'File that JSON lines are appended to; its directory must exist.',
        minLength: 1,
      }),
      rotateBytes: integer('The file is put aside, and a new one begun, above so many bytes.', 104_857_600, [
        1024,
        2 ** 40,
      ]),
      rotateHours: integer('The same after so many hours.', 24, [1, 8760]),
      keepFiles: integer('Files put aside that are kept; older ones are removed.', 14, [1, 10_000]),
      format: ownDocument,
    },
    { ...closed, description: 'A file of JSON lines, synced to disk after each batch.' },
  ),
  webhook: Type.Object(
    {
      url: Type.String({
        description: 'Receives a signed POST for each batch: `https://host[:port][/path]`, without query.',
        maxLength: 2048,
      }),
      secret: reference('Where the secret that signs is read from: `env:NAME` or `file:/absolute/path`.'),
      allowPrivateNetwork: Type.Boolean({
        description: 'Let the host resolve to private or loopback addresses, and let the URL be http:.',
        default: false,
      }),
      format: ownDocument,
    },
    { ...closed, description: 'An HTTP receiver of batches, signed like alerts of limits.' },
  ),
  elastic: Type.Object(
    {
      ...receiver('Elasticsearch or OpenSearch'),
      secret: reference(
        'API key, or `user:password`, as `scheme` says: `env:NAME` or `file:/absolute/path`.',
      ),
      scheme: choice('How the secret proves.', ['apiKey', 'basic']),
      namespace: text('Last part of the names of data streams.', 'default'),
    },
    { ...closed, description: 'Data streams of Elasticsearch or OpenSearch, by `_bulk`.' },
  ),
  syslog: Type.Object(
    {
      host: text('Name or address of the receiver.'),
      port: integer('Port.', 6514, [1, 65_535]),
      tls: Type.Boolean({
        description: 'RFC 5425. Without it the receiver must be on this machine.',
        default: true,
      }),
      allowPrivateNetwork: Type.Boolean({
        description: 'Let the host resolve to private or loopback addresses.',
        default: false,
      }),
      authority: optionalReference(
        'PEM of who vouches for the receiver; empty: the authorities of this system.',
      ),
      certificate: optionalReference('PEM of our own certificate; empty: none.'),
      key: optionalReference('PEM of its key.'),
      format: choice('Payload of a message.', ['json', 'ocsf', 'cef', 'leef']),
      hostname: text('HOSTNAME of messages; empty: the name of this machine.', ''),
    },
    { ...closed, description: 'A syslog receiver, RFC 5424 messages.' },
  ),
  splunk: Type.Object(
    {
      ...receiver('HTTP event collector'),
      token: reference('Token of the collector: `env:NAME` or `file:/absolute/path`.'),
      index: text('Index; empty: that of the token.', ''),
      acknowledged: Type.Boolean({ description: 'Wait for indexer acknowledgement.', default: false }),
      format: document,
      hostname: text('`host` of events; empty: the name of this machine.', ''),
    },
    { ...closed, description: 'Splunk, by its HTTP event collector.' },
  ),
  sentinel: Type.Object(
    {
      ...receiver('Data collection endpoint'),
      ruleId: text('Immutable id of the data collection rule.'),
      stream: text('Stream of the rule, `Custom-…`.'),
      tenantId: text('Entra tenant.'),
      clientId: text('Entra application.'),
      clientSecret: reference('Its secret: `env:NAME` or `file:/absolute/path`.'),
      authority: text('Address of Entra.', 'https://login.microsoftonline.com'),
    },
    { ...closed, description: 'Microsoft Sentinel, by the Logs Ingestion API.' },
  ),
  otlp: Type.Object(
    {
      ...receiver('Collector, without `/v1/logs`'),
      authorization: optionalReference('Value of `Authorization`; empty: none is sent.'),
    },
    { ...closed, description: 'An OpenTelemetry collector: logs by OTLP/HTTP, JSON.' },
  ),
  objectStore: Type.Object(
    {
      ...receiver('Bucket and prefix'),
      region: text('Region that requests are signed for.', 'us-east-1'),
      accessKeyId: reference('`env:NAME` or `file:/absolute/path`.'),
      secretAccessKey: reference('`env:NAME` or `file:/absolute/path`.'),
      format: document,
    },
    {
      ...closed,
      description: 'S3 and what speaks like it: compressed JSON lines, an object for each batch.',
    },
  ),
} as const satisfies Record<string, TObject>

export type SinkTypeName = keyof typeof sinkTypes
export type SinkSettings = { readonly [K in SinkTypeName]: Static<(typeof sinkTypes)[K]> }
export const sinkTypeNames = Object.keys(sinkTypes) as readonly SinkTypeName[]

/** Each of them may be left out: an entry has one. */
function optionalTypes() {
  return Object.fromEntries(
    Object.entries(sinkTypes).map(([name, settings]) => [name, optional(settings)]),
  ) as unknown as { readonly [K in SinkTypeName]: ReturnType<typeof optional<(typeof sinkTypes)[K]>> }
}

const sinkSchema = Type.Object(
  {
    name: Type.String({
      description: 'Name in metrics, logs and commands. Under another name it is another sink.',
      pattern: '^[a-z0-9][a-z0-9._-]{0,62}$',
    }),
    streams: Type.Array(Type.Enum([...eventStreams], { type: 'string' }), {
      description: 'Kinds of events that it gets.',
      default: ['access', 'security', 'audit'],
      minItems: 1,
      uniqueItems: true,
    }),
    minSeverity: Type.Enum([...eventSeverities], {
      type: 'string',
      description: 'Events that are less severe are not sent.',
      default: 'info',
    }),
    batchEvents: integer('Most events in a batch.', 500, [1, 10_000]),
    batchBytes: integer('Size at which a batch is sent, bytes.', 1_048_576, [1024, 67_108_864]),
    batchMs: integer('Longest wait for a batch to fill, milliseconds.', 1000, [0, 60_000]),
    concurrency: integer('Most batches under way at a time; fewer while the receiver struggles.', 4, [1, 64]),
    timeoutMs: integer('Longest time for a batch to be taken, milliseconds.', 30_000, [100, 600_000]),
    ...optionalTypes(),
  },
  { ...closed, description: 'A receiver of events; its type is the section that it has.' },
)

export type SinkConfig = Static<typeof sinkSchema>

export const sinksSchema = Type.Array(sinkSchema, {
  description:
    'Where events go: who called what, what was refused, what administrators did. None by default.',
  default: [],
  maxItems: 16,
})

export const eventsFields = {
  exchanges: choice(
    'Of requests with a key. `group`: what happened is on disk within 50 ms of the answer; when `usage.heldBytes` wait for the disk, requests get 503. `durable`: the end of an answer is held back until its event is on disk. `best-effort`: as `group`, but instead of 503 the oldest records are given up, metering with them, and counted. Without sinks `group`.',
    ['group', 'durable', 'best-effort'],
  ),
  security: choice(
    'Of requests with a key that are refused for who asks: `group` or `durable`, as above; the surer of both settings counts. They are never given up.',
    ['group', 'durable'],
  ),
  spoolBytes: integer(
    'Most bytes of security and audit events that wait on disk for sinks. Beyond it what would make another is refused.',
    2_147_483_648,
    [1_048_576, 2 ** 42],
  ),
}

interface SinksConfig {
  readonly sinks: readonly SinkConfig[]
}

interface Problem {
  path: (string | number)[]
  reason: string
}

/** What the schema cannot say. */
export function sinkProblems({ sinks }: SinksConfig): Problem[] {
  const names = new Set<string>()
  return sinks.flatMap((sink, at) => {
    const problems: Problem[] = []
    if (names.has(sink.name))
      problems.push({ path: ['sinks', at, 'name'], reason: 'names another sink, too' })
    names.add(sink.name)
    if (sinkTypeNames.filter((type) => sink[type] !== undefined).length !== 1)
      problems.push({ path: ['sinks', at], reason: `has one of: ${sinkTypeNames.join(', ')}` })
    for (const type of sinkTypeNames) {
      const settings = sink[type]
      const parsed = settings !== undefined && 'url' in settings ? parseOrigin(settings.url, settings) : null
      if (parsed instanceof Fault)
        problems.push({ path: ['sinks', at, type, 'url'], reason: `is refused: ${parsed.publicText}` })
    }
    return problems
  })
}
