/**
 * Routing: in which order the targets of a model route are tried, what a failure means, and what each target's past
 * says about its use. Knows nothing of HTTP and of exchanges.
 */
export { conversationHash } from './conversation.ts'
export { describeHealth } from './describe-health.ts'
export {
  classOfErrorEvent,
  classOfFailure,
  classOfStatus,
  type FailureClass,
  failureClasses,
  retryAfterMs,
} from './failure-classes.ts'
export { healthBoardBytes, openHealthBoard, type Trouble, troubles } from './health-board.ts'
export { createHealthChecks } from './health-checks.ts'
export { hashText } from './mix.ts'
export { type Candidate, type Ordering, orderTargets } from './order-targets.ts'
export { completeRoutePolicy, defaultRouteTerms, type RouteTerms } from './route-terms.ts'
export { jitteredBackoffMs, ShareBudget } from './share-budget.ts'
export { createHealthBook, type HealthBook, targetName } from './target-health.ts'
export { type Blockage, describeBlockage, usableTargets } from './usable-targets.ts'
