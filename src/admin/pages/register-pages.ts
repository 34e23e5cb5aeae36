/** The pages of the control plane on Fastify: `/`, `/setup`, and the API's own description. */

import { readFileSync } from 'node:fs'
import type {} from '@fastify/swagger'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { AdminDependencies } from '../context.ts'
import type { RenderedPage } from './page-shell.ts'
import { setupPage } from './setup-page.ts'
import { statusPage } from './status-page.ts'

function send(reply: FastifyReply, page: RenderedPage): FastifyReply {
  return reply.header('content-security-policy', page.policy).type('text/html; charset=utf-8').send(page.body)
}

/** The golden file: what is served is what was reviewed. */
const description = new URL('../../../docs/reference/openapi.json', import.meta.url)

export function registerPages(app: FastifyInstance, deps: AdminDependencies): void {
  const hidden = { schema: { hide: true } }
  app.get('/', hidden, (_request, reply) => send(reply, statusPage(deps.status(), deps.clock.now())))
  app.get('/setup', hidden, (_request, reply) => send(reply, setupPage()))
  app.get('/api/v1/openapi.json', hidden, (_request, reply) =>
    reply.type('application/json').send(readFileSync(description, 'utf8')),
  )
}
