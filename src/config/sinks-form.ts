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
    },
    { ...closed, description: 'An HTTP receiver of batches, signed like alerts of limits.' },
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
  exchanges: Type.Union([Type.Literal('group'), Type.Literal('durable')], {
    description:
      '`group`: what happened is on disk within 50 ms of the answer. `durable`: the end of an answer is held back until its event is on disk. Without sinks nothing is held back.',
    default: 'group',
  }),
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
    const parsed = sink.webhook === undefined ? null : parseOrigin(sink.webhook.url, sink.webhook)
    if (parsed instanceof Fault)
      problems.push({ path: ['sinks', at, 'webhook', 'url'], reason: `is refused: ${parsed.publicText}` })
    return problems
  })
}
