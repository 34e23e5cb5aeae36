/** Delivery: what happened, from the spool on disk to every sink that wants it, at least once. */
export type { SinkTools, SinkType } from './sink-type.ts'
