/**
 * The pipeline on one screen: what happens to a request, in order, by traffic class.
 *
 *   G generation (chat, responses, messages, Gemini)   U unary JSON with a model   M model listing
 *   P pass-through (images, audio, files, batches)     H health
 *
 * A stage answers `next`, or `wait` and later calls `exchange.proceed()`. A stage that throws ends the exchange:
 * `deny` means the caller gets the fault (or an internal fault when it was none) and nothing later runs; `allow`
 * means the stage is skipped. There is no default. Finish rows run exactly once, however the exchange ends.
 * `docs/reference/pipeline.md` is generated from this table.
 */
import type { Snapshot } from './snapshot.ts'
import type { OptionalPart, PipelineClass, Stage, StageRow } from './stage.ts'
import { admit } from './stages/admit.ts'
import { admitAddress } from './stages/admit-address.ts'
import { applyPolicies } from './stages/apply-policies.ts'
import { authenticate } from './stages/authenticate.ts'
import { authorize } from './stages/authorize.ts'
import { callUpstream } from './stages/call-upstream.ts'
import { captureContent, logContent } from './stages/content.ts'
import { correlate } from './stages/correlate.ts'
import { countTokens } from './stages/count-tokens.ts'
import { answerHealth } from './stages/health.ts'
import { holdAnswer } from './stages/hold-answer.ts'
import { claimIdempotency, rememberReply } from './stages/idempotency.ts'
import { inspectRequest } from './stages/inspect-request.ts'
import { listModels } from './stages/list-models.ts'
import { match } from './stages/match.ts'
import { receive } from './stages/receive.ts'
import { record } from './stages/record.ts'
import { reserve } from './stages/reserve.ts'
import { resolveModel } from './stages/resolve-model.ts'
import { findResponse, keepResponse } from './stages/response-cache.ts'
import { chooseTargets } from './stages/route.ts'
import { settle } from './stages/settle.ts'
import { shed } from './stages/shed.ts'
import { beginTrace, endTrace } from './stages/trace.ts'
import { validate } from './stages/validate.ts'

const everyClass = 'G U M P H'
/** Stages that can take long; reading the clock for each of the others would cost more than they do. */
const timedStages = new Set([
  'correlate',
  'authenticate',
  'receive',
  'validate',
  'inspect-request',
  'idempotency',
  'reserve',
  'call-upstream',
])

function row(
  name: string,
  run: Stage,
  classes: string,
  onError: StageRow['onError'],
  does: string,
): StageRow {
  return Object.freeze({
    name,
    run,
    classes,
    onError,
    phase: 'request',
    only: null,
    timed: timedStages.has(name),
    does,
  })
}
function finish(
  name: string,
  run: Stage,
  classes: string,
  onError: StageRow['onError'],
  does: string,
): StageRow {
  return Object.freeze({ name, run, classes, onError, phase: 'finish', only: null, timed: false, does })
}

/** The row is there only where the configuration asks for it. */
function only(part: OptionalPart, stage: StageRow): StageRow {
  return Object.freeze({ ...stage, only: part })
}

type PlannedSnapshot = Pick<
  Snapshot,
  'contentLog' | 'limits' | 'guards' | 'bounds' | 'keepsResponses' | 'events' | 'tracing' | 'policies'
>

const isAskedFor: Readonly<Record<OptionalPart, (snapshot: PlannedSnapshot) => boolean>> = Object.freeze({
  'content-log': ({ contentLog }) => contentLog !== null,
  'address-limits': ({ limits }) => limits.addresses !== null,
  limits: ({ limits }) => limits.rules !== null,
  shedding: ({ bounds }) => bounds.loopDelayMs > 0,
  'response-cache': ({ keepsResponses }) => keepsResponses,
  'held-answers': ({ events }) => events?.exchanges === 'durable' || events?.security === 'durable',
  tracing: ({ tracing }) => tracing !== null,
  guards: ({ guards }) => guards !== null,
  policies: ({ policies }) => policies !== null,
})

// biome-ignore format: the columns are the point
export const pipeline: readonly StageRow[] = Object.freeze([
  //     stage            function        classes      on error
  row   ('correlate',     correlate,      'G U M P H', 'deny',  'Name the request; find the caller\'s address behind trusted proxies.'),
  row   ('match',         match,          'G U M P H', 'deny',  'Method and path → operation.'),
  row   ('health',        answerHealth,   '. . . . H', 'deny',  'Answer /livez and /readyz.'),
  only('tracing', row('begin-trace', beginTrace, 'G U M P .', 'allow', 'Where tracing is on: take a place in the caller\'s trace, or begin one.')),
  row   ('admit',         admit,          'G U M P .', 'deny',  'Nothing is served that could not be recorded, nor while draining.'),
  only('address-limits', row('admit-address', admitAddress, 'G U M P .', 'deny', 'Where there are limits on addresses: count the request before anything is reckoned to prove the key.')),
  row   ('authenticate',  authenticate,   'G U M P .', 'deny',  'Prove the API key, its network and its time.'),
  only('held-answers', row('hold-answer', holdAnswer, 'G U M P .', 'deny', 'Where events are durable: hold the end of the answer back until its record is on disk.')),
  row   ('authorize',     authorize,      'G U M P .', 'deny',  'The key and a subscription must have the operation.'),
  only('shedding', row('shed', shed, 'G U M P .', 'deny', 'Under too much load: turn away, lowest priority first.')),
  only('content-log', row('capture-content', captureContent, 'G U . P .', 'deny', 'Where content logging is on: keep what is answered.')),
  row   ('receive',       receive,        'G U . P .', 'deny',  'Read the body within its bounds.'),
  row   ('validate',      validate,       'G U . P .', 'deny',  'JSON depth, keys, duplicates; model, stream, end user, tags.'),
  row   ('resolve-model', resolveModel,   'G U . P .', 'deny',  'Model name or alias → route; the key must be allowed to use it.'),
  only('policies', row('apply-policies', applyPolicies, 'G U M P .', 'deny', 'Where organizations have policies: one must permit the call, and none forbid it.')),
  only('guards', row('inspect-request', inspectRequest, 'G U . P .', 'deny', 'Where there are guards: look at every text of a JSON body; block, or go on with what is masked.')),
  row   ('idempotency',   claimIdempotency, 'G U . P .', 'deny', 'A repeated Idempotency-Key is answered as before.'),
  only('limits', row('reserve', reserve, 'G U M P .', 'deny', 'Take the request, its estimated input and its output cap from the limits; wait where a rule says so.')),
  row   ('list-models',   listModels,     '. . M . .', 'deny',  'Answer with the models that the key may use.'),
  only('response-cache', row('find-response', findResponse, 'G U . . .', 'deny', 'Where a route keeps answers: give one again to the same request.')),
  row   ('route',         chooseTargets,  'G U . P .', 'deny',  'Order the targets as the route has it; leave out what is out of use.'),
  row   ('count-tokens',  countTokens,    '. U . . .', 'deny',  'Estimate tokens where the deployment cannot count them.'),
  row   ('call-upstream', callUpstream,   'G U . P .', 'deny',  'Translate, call, fall back, relay the answer.'),
  finish('settle',        settle,         'G U M P .', 'allow', 'Tokens and cost: the provider\'s figures, or marked estimates. Limits get back what was not used.'),
  only('response-cache', finish('keep-response', keepResponse, 'G U . . .', 'allow', 'Where a route keeps answers: keep a whole one.')),
  finish('remember',      rememberReply,  'G U . P .', 'allow', 'Keep the reply for its idempotency key.'),
  only('content-log', finish('log-content', logContent, 'G U . P .', 'allow', 'Where content logging is on: hand request and response over to be sealed.')),
  only('tracing', finish('end-trace', endTrace, 'G U M P .', 'allow', 'Where tracing is on: hand what is in the sample to the control plane.')),
  finish('record',        record,         'G U M P .', 'allow', 'Count the exchange; hand one usage record to the control plane.'),
])

export type Plan = readonly StageRow[]

export interface PlanPair {
  readonly request: Plan
  readonly finish: Plan
}

/** Each class's rows, and those that every class runs before its class is known. */
export interface Plans {
  readonly prelude: Plan
  readonly byClass: Readonly<Record<PipelineClass, PlanPair>>
}

/** Compile a table for a snapshot: rows of what is off are not there. */
export function compilePlans(rows: readonly StageRow[], snapshot: PlannedSnapshot): Plans {
  const table = rows.filter((stage) => stage.only === null || isAskedFor[stage.only](snapshot))
  const planOf = (letter: PipelineClass, phase: StageRow['phase']): Plan =>
    Object.freeze(table.filter((stage) => stage.phase === phase && stage.classes.includes(letter)))
  const pairOf = (letter: PipelineClass): PlanPair =>
    Object.freeze({ request: planOf(letter, 'request'), finish: planOf(letter, 'finish') })
  const prelude = Object.freeze(table.filter((stage) => stage.classes === everyClass))
  return Object.freeze({
    prelude,
    byClass: Object.freeze({
      G: pairOf('G'),
      U: pairOf('U'),
      M: pairOf('M'),
      P: pairOf('P'),
      H: pairOf('H'),
    }),
  })
}
