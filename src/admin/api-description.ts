/** The OpenAPI 3.1 document of the admin API, made from the same table and schemas that serve it. */
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { nameSchemas } from './name-schemas.ts'

const info = {
  title: 'Gatewright admin API',
  version: '1',
  description: [
    'Manages organizations, applications, API products, subscriptions, model routes, deployments, API keys, admin',
    'tokens and usage. Every operation but the set-up exchange takes `Authorization: Bearer gwa_…`; the scope that',
    'an operation needs stands at its security requirement, and `admin` includes all scopes. A token that is bound',
    'to an organization sees that one only. A POST with `Idempotency-Key` runs once: for 24 hours it is answered as',
    'before, marked `x-gatewright-idempotent-replay: true`, when it is sent again.',
  ].join(' '),
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
}

/** Collect the routes that are registered from now on. */
export async function collectRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info,
      servers: [{ url: 'http://127.0.0.1:9080', description: 'The control plane on the same machine.' }],
      components: {
        securitySchemes: {
          adminToken: { type: 'http', scheme: 'bearer', description: 'Admin token `gwa_…`.' },
        },
      },
    },
  })
}

/** The document of a ready instance, as indented JSON. Costs some 100 ms: ask once. */
export function describeApi(app: FastifyInstance): string {
  return `${JSON.stringify(nameSchemas(app.swagger()), null, 2)}\n`
}
