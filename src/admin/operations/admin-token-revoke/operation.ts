import { notFound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { showToken, tokenView } from '../../resources/admin-tokens.ts'
import { closed, recordId } from '../../schemas.ts'

export const adminTokenRevoke = defineOperation({
  tag: 'admin tokens',
  summary: 'Revoke one admin token',
  description: 'At once and for good. Revoking a revoked token changes nothing.',
  params: closed({ id: recordId('adm') }),
  success: { status: 200, description: 'The revoked token.', schema: tokenView },
  faults: ['objectNotFound'],
  async run(ctx, { params }) {
    const { adminTokens } = ctx.deps.store
    const bound = ctx.caller.organizationId
    const record = await adminTokens.get(bound, params.id)
    if (record === null) throw notFound('admin token', params.id)
    if (record.revokedAt !== null) return showToken(record)
    const now = ctx.deps.clock.now()
    return showToken(await adminTokens.update(bound, record.id, { patch: { revokedAt: now }, now }))
  },
})
