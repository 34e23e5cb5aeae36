/** How the policy of a model route is written, in `gatewright.yaml` and in the admin API alike. */
import { type TProperties, Type } from 'typebox'
import { routeStrategies } from '../domain/routing.ts'

const { Optional: optional } = Type

function group<T extends TProperties>(description: string, properties: T) {
  return Type.Object(properties, { additionalProperties: false, description })
}
function whole(description: string, range: readonly [least: number, most: number]) {
  return optional(Type.Integer({ description, minimum: range[0], maximum: range[1] }))
}
const orNone = <T extends ReturnType<typeof group>>(schema: T) => optional(Type.Union([schema, Type.Null()]))
const percent = (description: string) => Type.Number({ description, minimum: 0, maximum: 100 })
const hour = 3_600_000

const canary = group(
  'Sends a share of the exchanges to one target; the others use it only when all else fails.',
  {
    deployment: Type.String({
      description: 'Slug of a deployment among the targets.',
      minLength: 1,
      maxLength: 63,
    }),
    model: optional(
      Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Null()], {
        description: 'Model at the provider, where the deployment stands among the targets more than once.',
      }),
    ),
    percent: percent('Share of the exchanges, or of the conversations where the route is sticky.'),
  },
)

const retry = group(
  'Further rounds over the targets when all have failed, and pauses that providers ask for.',
  {
    rounds: whole('Rounds after the first one. 0 when left out: each target is tried once.', [0, 5]),
    budgetPercent: optional(percent('Retries as a share of recent exchanges. 20 when left out.')),
    backoffMs: whole('Longest wait before the first further round, doubled with each. 250 when left out.', [
      1,
      hour,
    ]),
    maxBackoffMs: whole('Longest wait before any round. 8000 when left out.', [1, hour]),
    maxCooldownMs: whole('Longest pause that `Retry-After` brings; 0: none. 60000 when left out.', [0, hour]),
  },
)

const breaker = group('Leaves a failing target out until a trial succeeds. On unless null.', {
  failures: whole('Failures in a window that open it. 5 when left out.', [1, 100_000]),
  failurePercent: optional(percent('And their share of the calls. 50 when left out.')),
  windowMs: whole('Length of the window. 10000 when left out.', [100, hour]),
  openMs: whole('First time until a trial, doubled with each that fails. 5000 when left out.', [10, hour]),
  maxOpenMs: whole('Longest time until a trial. 60000 when left out.', [10, hour]),
})

const hedge = group('Makes a second call when the first is slower than 95 of 100. Off when left out.', {
  maxCostMicroUsd: Type.Integer({
    description:
      'Estimated price of the second call above which it is not made, in millionths of a US dollar.',
    minimum: 1,
    maximum: 2 ** 40,
  }),
  maxPercent: optional(percent('Second calls as a share of recent exchanges. 5 when left out.')),
  minDelayMs: whole('Least wait before the second call. 100 when left out.', [1, hour]),
})

const concurrency = group(
  'Limits the exchanges under way by the time to the first token. Off when left out.',
  {
    min: whole('Least limit per worker. 1 when left out.', [1, 100_000]),
    max: whole('Greatest limit per worker. 1000 when left out.', [1, 100_000]),
    maxWaitMs: whole(
      'Longest wait for room when all targets are at their limit; 0: refused at once. 0 when left out.',
      [0, 600_000],
    ),
  },
)

const healthCheck = group('Asks each target regularly. Off when left out.', {
  intervalMs: whole('Time between two checks. 30000 when left out.', [1000, 24 * hour]),
  timeoutMs: whole('Longest wait for an answer. 10000 when left out.', [100, hour]),
  path: optional(
    Type.String({
      description:
        'Path that is fetched; the list of models when left out. Any answer but 401, 403 and 5xx is good.',
      pattern: '^/[!-~]{0,500}$',
    }),
  ),
})

const cache = group(
  'Gives an answer again to the same request of the same application, byte for byte. Off when left out.',
  {
    ttlMs: Type.Integer({
      description: 'How long an answer is given again.',
      minimum: 1000,
      maximum: 24 * hour,
    }),
    maxEntryBytes: whole('Larger answers are not kept. 262144 when left out.', [1024, 1_048_576]),
  },
)

export const routePolicySchema = group(
  'How the route chooses among its targets, and what it does when one fails.',
  {
    strategy: optional(
      Type.Enum([...routeStrategies], {
        type: 'string',
        description:
          'Order within one priority: drawn by weight, fewest exchanges under way, quickest to the first token, or cheapest. `weighted` when left out.',
      }),
    ),
    canary: orNone(canary),
    sticky: optional(
      Type.Boolean({
        description: 'Keeps a conversation at one deployment, where its prompt may be in a cache.',
      }),
    ),
    residency: optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64, pattern: '^[!-)+-~]*\\*?$' }), {
        description:
          'Regions, or patterns with a trailing `*`, that requests may go to. Anywhere when left out.',
        maxItems: 64,
      }),
    ),
    retry: optional(retry),
    breaker: orNone(breaker),
    hedge: orNone(hedge),
    firstContentMs: optional(
      Type.Union([Type.Integer({ minimum: 10, maximum: hour }), Type.Null()], {
        description: 'Longest wait from the head of a stream to its first content. No bound when left out.',
      }),
    ),
    concurrency: orNone(concurrency),
    healthCheck: orNone(healthCheck),
    cache: orNone(cache),
  },
)
