/** Refusals by guards; part of the catalogue. `{guard}` is a guard's name. None of them tells what was found. */
import { entry } from './entry.ts'

export const guardFaults = Object.freeze({
  guardBlockedRequest: entry(
    'guard.request-blocked',
    400,
    'content-filter',
    'The guard {guard} does not let the request pass.',
    'Leave out what the guard is there for. x-gatewright-findings says what kind of thing it found; operators find its place in the security events.',
  ),
  guardBlockedAnswer: entry(
    'guard.answer-blocked',
    400,
    'content-filter',
    'The guard {guard} does not let the answer pass.',
    'Ask for something else, or have the guard mask instead of block.',
  ),
  guardNeedsWholeAnswer: entry(
    'guard.stream-not-inspected',
    400,
    'invalid-request',
    'Streams of {operation} cannot be inspected, and a guard holds for its answers.',
    'Ask without stream.',
  ),
  guardFailed: entry(
    'guard.not-inspected',
    502,
    'upstream',
    'The answer could not be inspected, so it does not pass.',
    'Try again. If it lasts, report it; a guard with onFailure open lets such answers pass.',
  ),
})
