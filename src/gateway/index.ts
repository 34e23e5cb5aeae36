/**
 * The data plane. `pipeline.ts` shows what happens to a request; `run.ts` runs it; `snapshot.ts` is what it knows.
 */

export { countCollections } from './collection-metrics.ts'
export { createContentOutbox } from './content-outbox.ts'
export { checkSnapshot, createGateway } from './gateway.ts'
export {
  digestBody,
  type LargeBodyAnswer,
  type LargeBodyReader,
  type LargeBodyTerms,
} from './large-body.ts'
export { createLoadMetrics } from './load-metrics.ts'
export { createRefusalOutbox, type RefusalBatch } from './refusal-outbox.ts'
export { createUsageOutbox, defaultOutboxBounds } from './usage-outbox.ts'
