import { Type } from 'typebox'
import { openOrganization, openRecord } from '../../access.ts'
import { requireCidrs, requirePolicy } from '../../key-rules.ts'
import { defineOperation } from '../../operation.ts'
import { collectionParams, stamp } from '../../resource.ts'
import { keyEnvironment, keyFields, keys, keyWithSecret } from '../../resources/keys.ts'
import { closed, reference } from '../../schemas.ts'
import { makeKey } from '../../secrets.ts'

export const keyCreate = defineOperation({
  tag: keys.plural,
  summary: 'Create one key',
  description: 'The key opens what the subscriptions of its application allow, narrowed by its own fields.',
  params: collectionParams,
  body: closed({
    application: reference('application'),
    name: keyFields.name,
    environment: Type.Optional(keyEnvironment),
    models: Type.Optional(keyFields.models),
    operations: Type.Optional(keyFields.operations),
    cidrs: Type.Optional(keyFields.cidrs),
    expiresAt: Type.Optional(keyFields.expiresAt),
  }),
  success: { status: 201, description: 'The new key and, this once, its secret.', schema: keyWithSecret },
  faults: ['objectNotFound', 'keyPolicyBroken'],
  async run(ctx, { params, body }) {
    const organization = await openOrganization(ctx, params.organization)
    const { store } = ctx.deps
    const application = await openRecord(store.applications, {
      noun: 'application',
      organizationId: organization.id,
      reference: body.application,
    })
    requireCidrs(body.cidrs ?? [])
    const base = stamp(ctx, keys.idPrefix)
    const environment = body.environment ?? 'live'
    const minted = makeKey(environment, { peppers: ctx.deps.peppers(), now: base.createdAt })
    const record = {
      ...base,
      organizationId: organization.id,
      applicationId: application.id,
      keyId: minted.keyId,
      name: body.name,
      environment,
      state: 'active' as const,
      models: body.models ?? null,
      operations: body.operations ?? null,
      cidrs: body.cidrs ?? [],
      expiresAt: body.expiresAt ?? null,
      lastUsedAt: null,
      revokedAt: null,
      quarantine: null,
      leaks: [],
    }
    await requirePolicy(ctx, { ...record, rotatedAt: minted.secret.createdAt })
    return { key: keys.show(await store.keys.create(record, [minted.secret]), ctx.deps), secret: minted.text }
  },
})
