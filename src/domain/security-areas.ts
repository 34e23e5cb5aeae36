/** Refusals that say something about who asks, by the first part of their fault code. */
const securityAreas: ReadonlySet<string> = new Set(['auth', 'access', 'limits', 'threat', 'guard'])

/** The area of a fault code that belongs to the stream `security`; null: it does not. */
export function securityAreaOf(fault: string): string | null {
  const area = fault.split('.', 1)[0] ?? ''
  return securityAreas.has(area) ? area : null
}
