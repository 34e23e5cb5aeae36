/** Events: what happened, in one flat shape, and the forms in which others read it. */
export { eventsOfRecord } from './events-of-record.ts'
export { createLiveHub, type LiveBatch, type LiveHub, type LiveSubscription } from './live-hub.ts'
export { sanitiseEvent } from './sanitise-event.ts'
