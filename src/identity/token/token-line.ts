/** What a worker asks the control plane about tokens: it holds no secret of an issuer and calls none itself. */
import type { JsonObject } from '../../domain/json.ts'
import type { IssuerKeys } from '../../domain/token-issuer.ts'

/** unavailable: nobody can say, so the token must not be taken. */
export type IntrospectionAnswer =
  | { readonly kind: 'active'; readonly claims: JsonObject; readonly believedUntil: number }
  | { readonly kind: 'inactive' }
  | { readonly kind: 'unavailable' }

export interface TokenLine {
  /** Keys of an issuer, fetched anew where that is allowed. Null: there are none. `done` is called exactly once. */
  askKeys(issuerId: string, done: (keys: IssuerKeys | null) => void): void
  /** What the issuer says of an opaque token. `done` is called exactly once. */
  introspect(issuerId: string, token: string, done: (answer: IntrospectionAnswer) => void): void
}
