/** Events: what happened, in one flat shape, and the forms in which others read it. */
export { eventsOfRecord } from './events-of-record.ts'
