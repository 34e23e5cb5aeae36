/**
 * Port: the guard that every outgoing connection passes. It turns a host name into addresses that were checked
 * against the policy; callers connect to exactly these addresses and never resolve the name themselves, so a
 * name that answers differently the next time (DNS rebinding) reaches nothing that was not checked.
 */
export interface EgressAddress {
  readonly address: string
  readonly family: 4 | 6
}

export interface EgressPolicy {
  /** Allow loopback, private and shared (carrier) addresses. Metadata and link-local addresses stay denied. */
  readonly allowPrivateNetwork: boolean
}

export interface EgressFailure {
  readonly kind: 'egress-denied' | 'resolve'
  /** For logs: names the host and the class of the address, no secret. */
  readonly internal: string
}

/** On success: at least one address, in the order in which to try them. On failure: none. */
export type EgressDone = (failure: EgressFailure | null, addresses: readonly EgressAddress[]) => void

export interface EgressGuard {
  /** `done` is called exactly once, possibly before `resolve` returns. */
  resolve(host: string, policy: EgressPolicy, done: EgressDone): void
}
