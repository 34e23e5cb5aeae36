/**
 * The data plane. `pipeline.ts` shows what happens to a request; `run.ts` runs it; `snapshot.ts` is what it knows.
 */
export { checkSnapshot, createGateway, type Gateway } from './gateway.ts'
export { pipeline } from './pipeline.ts'
export { createUsageOutbox, type UsageBatch, type UsageOutbox } from './usage-outbox.ts'
