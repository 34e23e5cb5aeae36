/** What those see of an event who may not see whom it concerns: persons become pseudonyms of this process. */
import { createHmac, randomBytes } from 'node:crypto'
import type { OversightEvent } from '../domain/oversight-event.ts'

/** Pseudonyms are the same as long as the process runs: who did what can be followed, not who it is. */
const pseudonymKey = randomBytes(32)

function pseudonym(text: string): string {
  if (text === '') return ''
  return `~${createHmac('sha256', pseudonymKey).update(text).digest('base64url').slice(0, 12)}`
}

export function sanitiseEvent(event: OversightEvent): OversightEvent {
  const { address, endUser } = event.actor
  return {
    ...event,
    actor: { ...event.actor, address: pseudonym(address), endUser: pseudonym(endUser) },
  }
}
