/** What the caller is told when no target of its route may be tried. */
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { Blockage } from '../routing/index.ts'
import type { Exchange } from './exchange.ts'

const faultOfReason = {
  credentials: faults.upstreamCredentialsExhausted,
  'rate-limit': faults.upstreamRateLimited,
  saturated: faults.upstreamSaturated,
  'out-of-use': faults.noDeployment,
} as const

export function blockageFault(exchange: Exchange, { reason, waitMs }: Blockage): Fault {
  return new Fault(faultOfReason[reason], {
    public: { model: exchange.model || 'files' },
    // Waits are known to a hundredth of a second and rounded up.
    retryAfterSeconds: Math.max(1, Math.ceil((waitMs - 10) / 1000)),
  })
}
