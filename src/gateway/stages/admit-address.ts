/**
 * Limits on the requests of an address, before anything is reckoned to prove the key: who sends many keys, or many
 * secrets for one key, costs look-ups and no cryptography. The rules are those of the organization that the key
 * claims to be of; a key that does not exist is refused by `authenticate` as cheaply.
 */
import { parseApiKey } from '../../identity/index.ts'
import type { Fault } from '../../kernel/fault.ts'
import type { CompiledLimits, LimitRequest } from '../../limits/index.ts'
import type { GatewayContext } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { refusalFault } from '../limits/limit-faults.ts'
import type { Stage } from '../stage.ts'
import { presentedKey } from './authenticate.ts'

const nothing = Object.freeze({ inputTokens: 0, outputTokens: 0, costMicroUsd: 0 })

export const admitAddress: Stage = (exchange, ctx) => {
  const rules = exchange.snapshot.limits.addresses
  const parsed = parseApiKey(presentedKey(exchange.inbound.headers))
  const claimed = parsed === null ? undefined : ctx.keys.find(parsed.keyId)
  if (rules === null || claimed === undefined) return 'next'
  return admit(exchange, ctx, { rules, organizationId: claimed.snapshot.organizationId })
}

function admit(
  exchange: Exchange,
  { limiter }: GatewayContext,
  { rules, organizationId }: { readonly rules: CompiledLimits; readonly organizationId: string },
): 'next' | 'wait' {
  let isRunning = true
  let hasPassed = false
  let refusal: Fault | null = null
  limiter.admit(rules, requestOf(exchange, organizationId), (verdict) => {
    if (verdict.allowed) {
      exchange.addressStandings = verdict.reservation.standings
      // Requests are counted for good: nothing is held.
      verdict.reservation.settle(nothing)
      hasPassed = true
      if (!isRunning) exchange.proceed()
      return
    }
    exchange.addressStandings = verdict.standings
    refusal = refusalFault(verdict)
    if (!isRunning) exchange.fail(refusal)
  })
  isRunning = false
  if (refusal !== null) throw refusal
  return hasPassed ? 'next' : 'wait'
}

function requestOf(exchange: Exchange, organizationId: string): LimitRequest {
  return {
    organizationId,
    applicationId: '',
    team: '',
    keyId: '',
    user: '',
    address: exchange.clientAddress,
    model: '',
    route: '',
    productId: '',
    planId: '',
    ...nothing,
    streamed: false,
  }
}
