/** Events: what happened, in one flat shape, and the forms in which others read it. */
export { eventOfRefusal } from './event-of-refusal.ts'
export { eventsOfRecord, usageEventOf } from './events-of-record.ts'
export { createLiveHub, type LiveBatch, type LiveHub, type LiveSubscription } from './live-hub.ts'
export { sanitiseEvent } from './sanitise-event.ts'
