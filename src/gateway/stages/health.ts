/**
 * Health for load balancers: `/livez` says that the process answers, `/readyz` that it has a configuration and is
 * not draining. Open to all, and silent about everything else.
 */
import { sendJson } from '../respond.ts'
import type { Stage } from '../stage.ts'

/** True for the two health paths. */
export function healthOperation(method: string, path: string): boolean {
  return (method === 'GET' || method === 'HEAD') && (path === '/livez' || path === '/readyz')
}

export const answerHealth: Stage = (exchange, ctx) => {
  const ready = exchange.inbound.target.startsWith('/livez') || ctx.isReady()
  sendJson(exchange, ready ? 200 : 503, ready ? '{"status":"ok"}' : '{"status":"not ready"}')
  exchange.finish('completed')
  return 'wait'
}
