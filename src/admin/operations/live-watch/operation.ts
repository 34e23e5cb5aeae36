import { Type } from 'typebox'
import {
  type EventSeverity,
  eventSeverities,
  eventStreams,
  type OversightEvent,
} from '../../../domain/oversight-event.ts'
import { faults } from '../../../faults/catalogue.ts'
import { Fault } from '../../../kernel/fault.ts'
import { notFound, openOrganization } from '../../access.ts'
import { writeLiveStream } from '../../live-stream.ts'
import { defineOperation } from '../../operation.ts'
import { closed, oneOf, optionalReference } from '../../schemas.ts'

interface Wish {
  /** Null: all. */
  readonly organizationId: string | null
  readonly stream?: string
  readonly model?: string
  readonly outcome?: string
  readonly severity?: EventSeverity
}

function wants(wish: Wish, event: OversightEvent): boolean {
  if (wish.organizationId !== null && event.organizationId !== wish.organizationId) return false
  if (wish.stream !== undefined && event.stream !== wish.stream) return false
  if (wish.model !== undefined && event.exchange?.model !== wish.model) return false
  if (wish.outcome !== undefined && event.outcome !== wish.outcome) return false
  const least = eventSeverities.indexOf(wish.severity ?? 'info')
  return eventSeverities.indexOf(event.severity) >= least
}

export const liveWatch = defineOperation({
  tag: 'live',
  summary: 'Watch events as they happen',
  description:
    'Server-sent events of this node until one side ends it: `oversight` with an event as JSON, `gap` with `lost` (null: an ' +
    'unknown number) and `reason` where the reader was too slow (`slow`), came back too late (`late`) or to a control plane ' +
    'that started anew (`restart`), `end` before the stream ends. ' +
    '`Last-Event-ID`, or `after`, goes on after the event of that id. A token of one organization sees that ' +
    'organization alone; addresses and end users are pseudonyms unless the token has the scope `admin`.',
  query: closed({
    organization: optionalReference('organization'),
    stream: Type.Optional(oneOf(eventStreams, 'Of this stream only.')),
    model: Type.Optional(Type.String({ description: 'For this model name only.', maxLength: 200 })),
    outcome: Type.Optional(oneOf(['success', 'failure', 'unknown'], 'With this outcome only.')),
    severity: Type.Optional(oneOf(eventSeverities, 'Of at least this severity.')),
    after: Type.Optional(Type.String({ description: 'Id of the last event that was seen.', maxLength: 40 })),
  }),
  success: { status: 200, description: 'The events.', contentTypes: ['text/event-stream'] },
  faults: ['objectNotFound', 'tooManyWatchers'],
  async run(ctx, { query }) {
    const { live } = ctx.deps
    if (live === undefined) throw notFound('live view', 'here')
    const { organization: reference, after, ...wish } = query
    const asked = reference === undefined ? null : await openOrganization(ctx, reference)
    // Bound to one organization, a token can ask for no other: `openOrganization` refuses it.
    const organizationId = ctx.caller.organizationId ?? asked?.id ?? null
    const subscription = live.subscribe({
      wants: (event) => wants({ ...wish, organizationId }, event),
      after: ctx.lastEventId ?? after ?? null,
    })
    if (subscription === null) throw new Fault(faults.tooManyWatchers)
    const showsPersons = ctx.caller.scopes.includes('admin')
    return { contentType: 'text/event-stream', body: writeLiveStream(ctx, { subscription, showsPersons }) }
  },
})
