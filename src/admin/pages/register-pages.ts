/** The pages of the control plane on Fastify: `/`, `/setup`, and the API's own description. */

import type { FastifyInstance, FastifyReply } from 'fastify'
import { describeApi } from '../api-description.ts'
import type { AdminDependencies } from '../context.ts'
import type { RenderedPage } from './page-shell.ts'
import { setupPage } from './setup-page.ts'
import { statusPage } from './status-page.ts'

function send(reply: FastifyReply, page: RenderedPage): FastifyReply {
  return reply.header('content-security-policy', page.policy).type('text/html; charset=utf-8').send(page.body)
}

export function registerPages(app: FastifyInstance, deps: AdminDependencies): void {
  const hidden = { schema: { hide: true } }
  app.get('/', hidden, (_request, reply) => send(reply, statusPage(deps.status(), deps.clock.now())))
  app.get('/setup', hidden, (_request, reply) => send(reply, setupPage()))
  let description: string | null = null
  app.get('/api/v1/openapi.json', hidden, (_request, reply) => {
    description ??= describeApi(app)
    return reply.type('application/json').send(description)
  })
}
