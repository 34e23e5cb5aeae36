/**
 * Which limits hold for a key: the exchange is described by what is known of the key, once for each product that it
 * may be used with, and the limits explain themselves for each.
 */
import { type Static, Type } from 'typebox'
import { limitTermFields, writeAmount, writeLimitTerms } from '../../config/index.ts'
import type { ApiKey, ApiProduct, Subscription } from '../../domain/entities.ts'
import { planRuleId } from '../../domain/limits.ts'
import type { LimitExplanation, LimitRequest } from '../../limits/index.ts'
import type { AdminContext } from '../context.ts'
import { named, nullable } from '../schemas.ts'
import { limitFigures } from './limit-figures.ts'

const keyLimit = named(
  'KeyLimit',
  {
    limitId: Type.String({ description: 'Id of the limit; `<plan id>/<name>` for a limit of a plan.' }),
    plan: nullable(Type.String(), 'Slug of the plan that the limit belongs to; null: it stands alone.'),
    product: nullable(Type.String(), 'Slug of the product that the plan is subscribed for.'),
    ...limitTermFields,
    applies: Type.Boolean({ description: 'Whether the exchange counts here.' }),
    mismatches: Type.Array(Type.String(), {
      description: "Fields of the limit's `match` that keep it from applying.",
    }),
    subject: Type.String({ description: 'The counter, as a top-up names it.' }),
    amountNow: Type.Number({ description: 'The amount with the top-ups of this period.' }),
    remaining: nullable(Type.Number(), 'What is left now; null: not known here.'),
    resetMs: nullable(Type.Number(), 'Milliseconds until all of it is there again; null: not known.'),
    figures: limitFigures,
  },
  'One limit, as it holds for an exchange.',
)

export const keyLimits = named(
  'KeyLimits',
  {
    keyId: Type.String({ description: 'Public part of the key.' }),
    application: Type.String({ description: 'Slug of its application.' }),
    team: Type.String({ description: 'Team of the application; empty: none.' }),
    items: Type.Array(keyLimit, { description: 'Those that apply first.' }),
  },
  'The limits of a key.',
)

type KeyLimit = Static<typeof keyLimit>

interface Described {
  readonly model?: string
  readonly user?: string
  readonly address?: string
}

/** A subscription under which the key may be used; null: none. */
interface Grant {
  readonly product: ApiProduct
  readonly subscription: Subscription
}

const maxSubscriptions = 500

async function grantsOf(ctx: AdminContext, key: ApiKey, model: string): Promise<Grant[]> {
  const { store } = ctx.deps
  const { organizationId, applicationId } = key
  const query = { applicationId, state: 'active', limit: maxSubscriptions } as const
  const { items } = await store.subscriptions.list(organizationId, query)
  const grants: Grant[] = []
  for (const subscription of items) {
    const product = await store.products.get(organizationId, subscription.productId)
    if (product !== null && (model === '' || opens(product, model))) grants.push({ product, subscription })
  }
  return grants
}

function opens({ state, models }: ApiProduct, model: string): boolean {
  if (state !== 'published' && state !== 'deprecated') return false
  return models.some((name) => (name.endsWith('*') ? model.startsWith(name.slice(0, -1)) : name === model))
}

function show(
  explained: LimitExplanation,
  names: { plan: string | null; product: string | null },
  figures: KeyLimit['figures'],
): KeyLimit {
  const { rule, applies, mismatches, subject, amount, remaining, resetMs } = explained
  return {
    limitId: rule.id,
    ...names,
    ...writeLimitTerms(rule),
    applies,
    mismatches: [...mismatches],
    subject,
    amountNow: writeAmount(rule.meter, amount),
    remaining: remaining === null ? null : writeAmount(rule.meter, remaining),
    resetMs,
    figures,
  }
}

/** Each counter once; a limit that applies nowhere once. */
function gather(shown: readonly KeyLimit[]): KeyLimit[] {
  const applying = new Map<string, KeyLimit>()
  const others = new Map<string, KeyLimit>()
  for (const each of shown) {
    if (each.applies) applying.set(`${each.limitId} ${each.subject}`, each)
    else others.set(each.limitId, each)
  }
  for (const { limitId } of applying.values()) others.delete(limitId)
  return [...applying.values(), ...others.values()]
}

export async function explainKey(
  ctx: AdminContext,
  key: ApiKey,
  described: Described,
): Promise<Static<typeof keyLimits>> {
  const { store } = ctx.deps
  const { organizationId, applicationId, keyId } = key
  const application = await store.applications.get(organizationId, applicationId)
  const model = described.model ?? ''
  const route = model === '' ? null : await store.routes.find(organizationId, model)
  const team = application?.team ?? ''
  const request = (grant: Grant | null): LimitRequest => ({
    organizationId,
    applicationId,
    team,
    keyId,
    user: described.user ?? '',
    address: described.address ?? '',
    model: route?.name ?? model,
    route: route?.name ?? '',
    productId: grant?.product.id ?? '',
    planId: grant?.subscription.planId ?? '',
    inputTokens: 0,
    outputTokens: 0,
    costMicroUsd: 0,
    streamed: true,
  })
  const found = await grantsOf(ctx, key, model)
  const grants = found.length === 0 ? [null] : found
  const explained = await ctx.deps.explainLimits(grants.map(request))
  const shown: KeyLimit[] = []
  for (const [index, grant] of grants.entries()) {
    const planId = grant?.subscription.planId ?? null
    const plan = planId === null ? null : await store.plans.get(organizationId, planId)
    const ofPlan = { plan: plan?.slug ?? null, product: grant?.product.slug ?? null }
    for (const each of explained[index] ?? []) {
      const isOfPlan = planId !== null && each.rule.id.startsWith(planRuleId(planId, ''))
      const names = isOfPlan ? ofPlan : { plan: null, product: null }
      shown.push(show(each, names, ctx.deps.limitFigures(each.rule.id)))
    }
  }
  return { keyId, application: application?.slug ?? applicationId, team, items: gather(shown) }
}
