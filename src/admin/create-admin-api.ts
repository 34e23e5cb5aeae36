/**
 * The control plane's HTTP face: the operations of `register.ts` on Fastify, the status page and the set-up page.
 * Returns an instance that does not listen; the composition root opens the listeners.
 *
 * Assumes nothing of callers: every request is authenticated before its body is read, every body is bounded and
 * closed against unknown fields, every answer carries the security headers, no cross-origin access is granted.
 */

import { Readable } from 'node:stream'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { requestIds } from '../kernel/ids.ts'
import { collectRoutes } from './api-description.ts'
import type { AdminContext, AdminDependencies, Caller } from './context.ts'
import { createDoor, type Door } from './door.ts'
import { errorBody, faultOf } from './error-reply.ts'
import { type AdminIdempotency, createAdminIdempotency, idempotencyHeader } from './idempotency.ts'
import { registerLeakReports } from './leak-reports/register-leak-reports.ts'
import { metricsPath, registerMetrics } from './metrics-endpoint.ts'
import { isStreamed } from './operation.ts'
import { registerPages } from './pages/register-pages.ts'
import { recordReplay, runRecorded } from './record-action.ts'
import { type AdminRow, adminTable } from './register.ts'
import { routeSchema, takesIdempotencyKey } from './route-schema.ts'
import { apiHeaders, strictTransport } from './security-headers.ts'
import { compileValidator } from './validate.ts'

/** Bytes; `config-apply` takes the largest bodies. */
const bodyLimit = 2_097_152
/** Milliseconds for a whole request to arrive. */
const requestTimeout = 30_000

export const apiPrefix = '/api/v1'

export async function createAdminApi(deps: AdminDependencies): Promise<FastifyInstance> {
  const nextId = requestIds()
  const app = Fastify({
    logger: false,
    bodyLimit,
    requestTimeout,
    connectionTimeout: requestTimeout,
    exposeHeadRoutes: false,
    genReqId: nextId,
    requestIdHeader: false,
    routerOptions: { maxParamLength: 1024 },
  })
  app.removeContentTypeParser('text/plain')
  app.setValidatorCompiler(compileValidator)
  // Views name the fields that leave (show-fields.ts), so plain JSON.stringify leaks nothing more.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.addHook('onRequest', setHeaders)
  app.addHook('onResponse', countAnswer(deps))
  app.setErrorHandler((error, request, reply) => sendError(deps, error, { request, reply }))
  app.setNotFoundHandler((request) => {
    throw new Fault(faults.notFound, { public: { method: request.method, path: pathOf(request) } })
  })
  await collectRoutes(app)
  const parts = { deps, idempotency: createAdminIdempotency(deps), door: createDoor(deps) }
  for (const row of adminTable) register(app, parts, row)
  registerPages(app, deps)
  registerMetrics(app, deps, parts.door)
  registerLeakReports(app, deps)
  return app
}

async function setHeaders(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.headers(apiHeaders)
  if (request.protocol === 'https') reply.header('strict-transport-security', strictTransport)
  reply.header('x-request-id', request.id)
}

/** Counts each answer under the name of its operation: our own names, whatever the caller asked for. */
function countAnswer(deps: AdminDependencies) {
  const names = new Map(adminTable.map(({ method, path, name }) => [`${method} ${apiPrefix}${path}`, name]))
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { url = '' } = request.routeOptions
    const name = url === metricsPath ? 'metrics' : names.get(`${request.method} ${url}`)
    deps.answered(name ?? 'none', reply.statusCode)
  }
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? ''
}

/** Nobody: the caller of a public operation. */
const nobody: Caller = Object.freeze({ tokenId: '', organizationId: null, scopes: Object.freeze([]) })

interface Parts {
  readonly deps: AdminDependencies
  readonly idempotency: AdminIdempotency
  readonly door: Door
}

function register(app: FastifyInstance, { deps, idempotency, door }: Parts, row: AdminRow): void {
  const { operation, scope, name } = row
  const callers = new WeakMap<FastifyRequest, Caller>()
  app.route({
    method: row.method,
    url: apiPrefix + row.path,
    schema: routeSchema(row),
    // Before the body is read: a stranger's bytes are not parsed.
    async onRequest(request) {
      if (scope === 'public') return
      callers.set(request, await door.enter(request, { operation: name, scope }))
    },
    async handler(request, reply) {
      const caller = scope === 'public' ? nobody : callers.get(request)
      if (caller === undefined) throw new Fault(faults.adminUnauthenticated)
      const lastId = request.headers['last-event-id']
      const lastEventId = typeof lastId === 'string' ? lastId : null
      const ctx: AdminContext = { deps, caller, requestId: request.id, address: request.ip, lastEventId }
      const { params, query, body } = request
      const action = { row, ctx, params, body }
      const perform = () => runRecorded(action, () => operation.run(ctx, { params, query, body }))
      const run =
        scope === 'public' ? () => perform().catch((error) => door.turnAway(request, error)) : perform
      const { status } = operation.success
      const key = takesIdempotencyKey(row) ? request.headers[idempotencyHeader] : undefined
      if (typeof key !== 'string') return answer(reply, status, await run())
      const text = JSON.stringify([row.name, request.url, body ?? null])
      const { result, isReplay } = await idempotency.once(ctx, { key, text, status }, run)
      if (isReplay) {
        await recordReplay(action)
        reply.header('x-gatewright-idempotent-replay', 'true')
      }
      return answer(reply, status, result)
    },
  })
}

function answer(reply: FastifyReply, status: number, result: unknown): unknown {
  reply.code(status)
  if (!isStreamed(result)) return reply.send(result)
  reply.type(result.contentType)
  if (result.fileName !== undefined)
    reply.header('content-disposition', `attachment; filename="${result.fileName}"`)
  return reply.send(Readable.from(result.body))
}

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

function sendError(deps: AdminDependencies, error: unknown, { request, reply }: Exchange): void {
  const contentType = request.headers['content-type'] ?? 'none'
  const fault = faultOf(error, { limit: bodyLimit, contentType })
  if (fault.status >= 500) {
    deps.log.error({ requestId: request.id, code: fault.code, cause: fault.cause }, 'admin operation failed')
  }
  if (fault.status === 401) reply.header('www-authenticate', 'Bearer realm="gatewright"')
  if (fault.retryAfterSeconds !== undefined) reply.header('retry-after', fault.retryAfterSeconds)
  const { documentationUrl } = deps.status()
  void reply.code(fault.status).send(errorBody(fault, { requestId: request.id, documentationUrl }))
}
