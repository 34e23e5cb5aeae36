/**
 * Delivery: what happened, from the logs on disk to every sink that wants it, at least once. Bounds: what waits on disk
 * (`EventSpool`, retention of the usage log), batches in memory per sink (`LaneReader`), dead letters per sink.
 */
export { openCursorBook } from './cursor-book.ts'
export type { DeadLetter } from './dead-letters.ts'
export { Delivery, type SinkPlan, type SinkSummary } from './delivery.ts'
export type { EventLane, SizedEvent } from './event-lane.ts'
export { EventSpool } from './event-spool.ts'
export { gapEvent } from './gap-event.ts'
export type { ReplayResult, SinkStatus } from './sink-runner.ts'
export type { SinkTools, SinkType } from './sink-type.ts'
