/** One public error. */
import type { ErrorKind } from '../domain/canonical.ts'
import type { FaultDefinition } from '../kernel/fault.ts'

export interface CatalogueEntry extends FaultDefinition {
  readonly kind: ErrorKind
}

export function entry(
  code: string,
  status: number,
  kind: ErrorKind,
  text: string,
  remedy: string,
): CatalogueEntry {
  return Object.freeze({ code, status, kind, text, remedy })
}
