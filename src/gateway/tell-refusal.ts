/** An exchange that proved no key and was refused, for the control plane; from where, only where a sink asks for events. */
import type { GatewayContext } from './context.ts'
import type { Exchange } from './exchange.ts'

export function tellRefusal(exchange: Exchange, ctx: GatewayContext): void {
  if (exchange.faultCode === '') return
  ctx.recordRefusal({
    id: exchange.id,
    time: exchange.startedAt,
    fault: exchange.faultCode,
    status: exchange.status,
    address: exchange.snapshot.events === null ? '' : exchange.clientAddress,
    operation: exchange.operation?.id ?? '',
  })
}
