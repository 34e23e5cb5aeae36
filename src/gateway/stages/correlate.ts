/** Name the request and find who really calls, when a trusted proxy stands between. */
import type { Stage } from '../stage.ts'

const maxHops = 16

/**
 * `X-Forwarded-For` is believed from trusted proxies only, read from the right: the first hop that is no trusted
 * proxy is the caller. What stands further left was written by the caller and proves nothing.
 */
export const correlate: Stage = (exchange) => {
  const { inbound, snapshot } = exchange
  exchange.clientAddress = inbound.remoteAddress
  const trusts = snapshot.trustsProxy
  if (trusts === null || !trusts(inbound.remoteAddress)) return 'next'
  const hops = forwardedFor(inbound.headers).split(',').slice(-maxHops)
  for (const hop of hops.reverse()) {
    const address = hop.trim()
    if (!/^[0-9a-fA-F.:]{2,45}$/.test(address)) break
    exchange.clientAddress = address
    if (!trusts(address)) break
  }
  return 'next'
}

/** All lines as one list (RFC 9110 §5.3): some proxies add a line of their own below the caller's. */
function forwardedFor(headers: readonly string[]): string {
  let list = ''
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] === 'x-forwarded-for')
      list = list === '' ? (headers[at + 1] ?? '') : `${list},${headers[at + 1]}`
  }
  return list
}
