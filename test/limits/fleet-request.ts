/** What nodes of a fleet are asked, in tests and proofs of limits over many nodes. */
import type { LimitRule } from '../../src/domain/limits.ts'
import type { LimitRequest } from '../../src/limits/index.ts'

/** A request that a rule without conditions counts. */
export function requestOfFleet({ organizationId }: LimitRule, costMicroUsd = 0): LimitRequest {
  return {
    organizationId,
    applicationId: 'app_a',
    team: '',
    keyId: 'key_a',
    user: '',
    address: '127.0.0.1',
    model: 'm',
    route: 'm',
    productId: '',
    planId: '',
    inputTokens: 0,
    outputTokens: 0,
    costMicroUsd,
    streamed: false,
  }
}
