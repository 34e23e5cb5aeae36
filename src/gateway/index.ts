/**
 * The data plane. `pipeline.ts` shows what happens to a request; `run.ts` runs it; `snapshot.ts` is what it knows.
 */
export { checkSnapshot, createGateway } from './gateway.ts'
export { createUsageOutbox } from './usage-outbox.ts'
