/** Refusals by limits; part of the catalogue. `{limit}` is a rule's name, `{meter}` what it counts. */
import { entry } from './entry.ts'

export const limitFaults = Object.freeze({
  limitExceeded: entry(
    'limits.exceeded',
    429,
    'rate-limit',
    'The limit {limit} on {meter} is reached.',
    'Wait as long as Retry-After says. The RateLimit header of every answer tells what is left.',
  ),
  requestBeyondLimit: entry(
    'limits.request-too-large',
    429,
    'rate-limit',
    'The request may use more than the limit {limit} on {meter} ever allows at once.',
    'Send less, or cap the answer (max_tokens). Waiting does not help.',
  ),
  budgetExhausted: entry(
    'limits.budget-exhausted',
    429,
    'quota',
    'The budget {limit} on {meter} does not have what the request may use.',
    'Wait for the next period (Retry-After), cap the answer (max_tokens), or ask for a larger budget or a top-up.',
  ),
  streamEnded: entry(
    'limits.stream-ended',
    429,
    'quota',
    'The stream was ended because the limit {limit} on {meter} is reached.',
    'What was sent counts. Set a cap (max_tokens), so that the request is refused at once when it does not fit.',
  ),
  uncountedBatch: entry(
    'limits.uncounted-batch',
    403,
    'permission',
    'A batch cannot be counted under the budget {limit} on {meter}, so none may be created.',
    'Send the requests one by one. What a batch uses is known to its provider alone, hours later.',
  ),
  uncountedOperation: entry(
    'limits.uncounted-operation',
    403,
    'permission',
    'What the operation will cost cannot be told, so it is not served under the budget {limit} on {meter}.',
    'Pictures and sound are charged by piece, second or character. Name in the budget (match.models) the models that it is for, and bound these by a limit on requests.',
  ),
  unpricedModel: entry(
    'limits.unpriced-model',
    403,
    'permission',
    'No price is known of {model}, so it is not served under the budget {limit} on {meter}.',
    'Give the model a price (prices in gatewright.yaml; 0 where it costs nothing), or name in the budget (match.models) the models that it is for.',
  ),
  queueFull: entry(
    'limits.queue-full',
    429,
    'rate-limit',
    'The limit {limit} on {meter} is reached, and too many requests wait for it.',
    'Send fewer requests at once, or try again as Retry-After says.',
  ),
  queueWaitOver: entry(
    'limits.queue-wait-over',
    429,
    'rate-limit',
    'The request has waited for the limit {limit} on {meter} as long as its plan allows.',
    'Send fewer requests at once, or try again as Retry-After says.',
  ),
  limitUnavailable: entry(
    'limits.unavailable',
    503,
    'overloaded',
    'The limit {limit} on {meter} cannot be checked right now.',
    'Try again as Retry-After says. If it lasts, look at the store of shared counters.',
  ),
})
