import { Type } from 'typebox'
import { readUnits } from '../../../config/index.ts'
import { type LimitTerms, planRuleId } from '../../../domain/limits.ts'
import { faults } from '../../../faults/catalogue.ts'
import { Fault } from '../../../kernel/fault.ts'
import { notFound, openOrganization, openRecord } from '../../access.ts'
import type { AdminContext } from '../../context.ts'
import { defineOperation } from '../../operation.ts'
import { collectionParams, stamp } from '../../resource.ts'
import { topUpFields, topUps } from '../../resources/top-ups.ts'
import { closed, optionalReference, reference } from '../../schemas.ts'

interface FoundLimit {
  readonly limitId: string
  readonly terms: LimitTerms
  /** Values that a subject of it has. */
  readonly parts: readonly string[]
}

function refuse(field: string, reason: string): Fault {
  return new Fault(faults.invalidField, { public: { field, reason }, param: field })
}

/** @throws 404 */
async function findLimit(
  ctx: AdminContext,
  organizationId: string,
  given: { readonly limit: string; readonly plan?: string },
): Promise<FoundLimit> {
  const { store } = ctx.deps
  if (given.plan === undefined) {
    const wanted = { noun: 'limit', organizationId, reference: given.limit }
    const limit = await openRecord(store.limits, wanted)
    return { limitId: limit.id, terms: limit, parts: limit.per }
  }
  const plan = await openRecord(store.plans, { noun: 'plan', organizationId, reference: given.plan })
  const terms = plan.limits.find(({ name }) => name === given.limit)
  if (terms === undefined) throw notFound('limit', given.limit)
  const parts = terms.per.length === 0 ? ['application', 'product'] : terms.per
  return { limitId: planRuleId(plan.id, terms.name), terms, parts }
}

/** @throws 400 where no counter of the limit can be meant */
function checkSubject(subject: string, parts: readonly string[]): void {
  if (subject.split('|').length === Math.max(1, parts.length) && (subject === '' || parts.length > 0)) return
  const counts = parts.length === 0 ? 'the limit has one counter: leave it out' : `give ${parts.join('|')}`
  throw refuse('subject', counts)
}

export const topUpCreate = defineOperation({
  tag: topUps.plural,
  summary: 'Raise one counter of a calendar limit',
  description: 'For the period that holds `at`; the next period begins with the amount of the limit again.',
  params: collectionParams,
  body: closed({
    limit: reference('limit', 'name'),
    plan: optionalReference('plan'),
    subject: Type.Optional(topUpFields.subject),
    amount: topUpFields.amount,
    at: Type.Optional(topUpFields.at),
    note: Type.Optional(topUpFields.note),
  }),
  success: { status: 201, description: 'The new top-up.', schema: topUps.view },
  faults: ['objectNotFound'],
  async run(ctx, { params, body }) {
    const organization = await openOrganization(ctx, params.organization)
    const { limitId, terms, parts } = await findLimit(ctx, organization.id, body)
    if (terms.window?.kind !== 'calendar')
      throw refuse('limit', 'only a limit with a calendar window is topped up')
    const { subject = '', note = '', at = ctx.deps.clock.now() } = body
    checkSubject(subject, parts)
    const amount = readUnits(terms.meter, body.amount, (reason) => {
      throw refuse('amount', reason)
    })
    const own = { limitId, meter: terms.meter, subject, amount, at, note }
    const record = { ...stamp(ctx, topUps.idPrefix), organizationId: organization.id, ...own }
    return topUps.show(await ctx.deps.store.topUps.create(record), ctx.deps)
  },
})
