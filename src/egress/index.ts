/**
 * Egress: where outgoing calls may go. Hosts come from configuration only; this slice parses them, fills provider
 * templates, and resolves names to checked, pinned addresses. Every outgoing connection passes the guard.
 */
export type { ParsedOrigin } from './parse-origin.ts'
export { fillBaseUrl, parseOrigin } from './parse-origin.ts'
export { createEgressGuard } from './resolve-egress.ts'
