/** Name the request and find who really calls, when trusted proxies stand between. */
import { forwardedHops } from '../forwarded-hops.ts'
import type { Stage } from '../stage.ts'

/**
 * Proxies are believed hop by hop, from the peer on: the first hop that is no trusted proxy is the caller. What
 * stands further left was written by the caller and proves nothing. A peer that is no trusted proxy is the caller.
 */
export const correlate: Stage = (exchange) => {
  const { inbound, snapshot } = exchange
  exchange.clientAddress = inbound.remoteAddress
  const trusts = snapshot.trustsProxy
  if (trusts === null || !trusts(inbound.remoteAddress)) return 'next'
  for (const address of forwardedHops(inbound.headers, snapshot.forwardedHeader)) {
    exchange.clientAddress = address
    if (!trusts(address)) break
  }
  return 'next'
}
