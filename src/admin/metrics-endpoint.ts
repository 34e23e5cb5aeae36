/**
 * `GET /metrics`: figures of the whole node, for a scraper. Beside the API, because scrapers go there.
 *
 * Who may read: an admin token with the scope `read` that is of no single organization, for the figures are of all; or,
 * without a token, a caller on this machine who speaks to it by a loopback name. What a proxy on this machine passes on
 * carries a header that says so, and needs a token; so does a page that a browser on this machine is led to under
 * another name. A token that is sent is always proven, and where nothing decides, nothing is shown.
 */
import { isIPv4 } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { chooseExposition, contentTypes, writeExposition } from '../telemetry/index.ts'
import type { AdminDependencies } from './context.ts'
import type { Door } from './door.ts'

export const metricsPath = '/metrics'

export function registerMetrics(
  app: FastifyInstance,
  deps: Pick<AdminDependencies, 'metrics'>,
  door: Door,
): void {
  app.route({
    method: 'GET',
    url: metricsPath,
    schema: { hide: true },
    onRequest: (request) => authorizeScrape(door, request),
    handler(request, reply) {
      const format = chooseExposition(request.headers.accept)
      return reply
        .header('vary', 'accept')
        .type(contentTypes[format])
        .send(writeExposition(deps.metrics(), format))
    },
  })
}

async function authorizeScrape(door: Door, request: FastifyRequest): Promise<void> {
  if (request.headers.authorization === undefined && isLocal(request)) return
  const caller = await door.enter(request, { operation: 'metrics', scope: 'read' })
  if (caller.organizationId !== null) throw new Fault(faults.organizationBound)
}

/** Headers by which proxies tell that they pass a request on. */
const passedOn = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via']
const loopbackName = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?$/i

function isLocal({ socket, headers }: FastifyRequest): boolean {
  if (!isLoopback(socket.remoteAddress ?? '') || !loopbackName.test(headers.host ?? '')) return false
  return passedOn.every((name) => headers[name] === undefined)
}

function isLoopback(address: string): boolean {
  if (address === '::1') return true
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
  return isIPv4(plain) && plain.startsWith('127.')
}
