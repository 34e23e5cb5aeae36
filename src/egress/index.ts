/**
 * Egress: where outgoing calls may go. Hosts come from configuration only; this slice parses them, fills provider
 * templates, and resolves names to checked, pinned addresses. Every outgoing connection passes the guard.
 */
export type { AddressClass } from './classify-address.ts'
export { classifyAddress, isAddressAllowed } from './classify-address.ts'
export type { ParsedOrigin } from './parse-origin.ts'
export { fillBaseUrl, parseOrigin } from './parse-origin.ts'
export type { DnsSource, EgressGuardOptions } from './resolve-egress.ts'
export { createEgressGuard } from './resolve-egress.ts'
