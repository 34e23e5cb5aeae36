/** A row of the table as Fastify's route schema: what is validated, and what the OpenAPI document says. */
import type { FastifySchema } from 'fastify'
import { type FaultName, faults } from '../faults/catalogue.ts'
import { auditKindOf } from './audit-actions.ts'
import { idempotencyHeaders } from './idempotency.ts'
import type { AdminOperation } from './operation.ts'
import type { AdminRow } from './register.ts'
import { errorBody } from './schemas.ts'

/** True for what makes or changes something and knows who asks. */
export function takesIdempotencyKey({ method, scope }: AdminRow): boolean {
  return method === 'POST' && scope !== 'public'
}

/** Faults that an operation promises, with those that follow from its schemas and scope. */
export function promisedFaults(row: AdminRow): readonly FaultName[] {
  const { operation } = row
  const names: FaultName[] = []
  if (takesIdempotencyKey(row)) names.push('invalidField', 'idempotencyConflict', 'idempotencyMismatch')
  if (operation.body !== undefined) names.push('malformedJson', 'bodyTooLarge', 'unsupportedContentType')
  if (operation.body ?? operation.query ?? operation.params) names.push('invalidField', 'missingField')
  if (auditKindOf(row) !== 'none') names.push('auditUnavailable')
  if (row.scope !== 'public') names.push('adminUnauthenticated', 'tooManySignIns', 'scopeDenied')
  names.push(...operation.faults)
  return [...new Set(names)]
}

function successSchema(operation: AdminOperation): object {
  const { success } = operation
  if ('schema' in success) return { ...success.schema, description: success.description }
  if ('contentTypes' in success) {
    const text = { schema: { type: 'string' } }
    return {
      description: success.description,
      content: Object.fromEntries(success.contentTypes.map((type) => [type, text])),
    }
  }
  return { type: 'null', description: success.description }
}

/** Promised faults by status: one response each, naming its codes. */
function errorSchemas(row: AdminRow): Record<string, object> {
  const byStatus = new Map<number, string[]>()
  for (const name of promisedFaults(row)) {
    const { status, code } = faults[name]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  const describe = (codes: string[]) => ({
    ...errorBody,
    description: codes.map((code) => `\`${code}\``).join(', '),
  })
  return Object.fromEntries([...byStatus].map(([status, codes]) => [String(status), describe(codes)]))
}

export function routeSchema(row: AdminRow): FastifySchema {
  const { operation } = row
  return {
    operationId: row.name,
    summary: operation.summary,
    tags: [operation.tag],
    ...(operation.description === undefined ? {} : { description: operation.description }),
    security: row.scope === 'public' ? [] : [{ adminToken: [row.scope] }],
    ...(takesIdempotencyKey(row) ? { headers: idempotencyHeaders } : {}),
    ...(operation.params === undefined ? {} : { params: operation.params }),
    ...(operation.query === undefined ? {} : { querystring: operation.query }),
    ...(operation.body === undefined ? {} : { body: operation.body }),
    response: { [operation.success.status]: successSchema(operation), ...errorSchemas(row) },
  } as FastifySchema
}
