/**
 * Identity: who calls. API keys and admin tokens: their text, how they are proven, what they are bound to. Access
 * tokens of issuers that an organization trusts: how they are checked, what their claims mean, who is asked.
 * Assumes a key text of 256 random bits; bounds stand with each part.
 */
export {
  mintAdminToken,
  mintApiKey,
  mintApiKeySecret,
  parseAdminToken,
  parseApiKey,
} from './api-key/api-key-text.ts'
export { type AddressMatcher, compileCidrs, isCidr } from './api-key/compile-cidrs.ts'
export { compilePatterns, type PatternMatcher, patternsMeet } from './api-key/compile-patterns.ts'
export { type FoundToken, findTokens, longestToken } from './api-key/find-tokens.ts'
export {
  dayMs,
  findBreach,
  refusedAge,
  rotatedAtOf,
  rotationStanding,
  strictestPolicy,
} from './api-key/key-policy.ts'
export { createKeyProof, digestKeyText, type KeyProof } from './api-key/key-proof.ts'
export { snapshotKeys } from './api-key/key-snapshot.ts'
export {
  hasPeppers,
  type OpenedPeppers,
  openPepperBook,
  type PepperBook,
  type RewrapCount,
} from './api-key/pepper-book.ts'
export { planRotation } from './api-key/plan-rotation.ts'
export { compilePeppers, hashApiKey, type Peppers, verifyApiKey } from './api-key/secret-hash.ts'
export {
  hasAudience,
  judgeClaims,
  refuseToken,
  type TokenFacts,
  type TokenRefusal,
} from './token/claims.ts'
export {
  type CompiledIssuer,
  type CompiledIssuers,
  compileIssuers,
  dpopAlgorithms,
  hasType,
  pinnedAlgorithm,
} from './token/compile-issuers.ts'
export { currentNonce } from './token/dpop-nonce.ts'
export { type ProofRefusal, refuseProof } from './token/dpop-proof.ts'
export { parseAddress } from './token/fetch-document.ts'
export { IntrospectionDesk } from './token/introspection-desk.ts'
export { type Jws, readJws, verifyJws } from './token/jws.ts'
export { KeyDesk, type KeyStatus } from './token/key-desk.ts'
export { compileKeySet, type KeySet, type SigningKey } from './token/key-set.ts'
export { createReplayMemory, openReplayStore, type ReplayStore } from './token/replay-store.ts'
export { createRevocations } from './token/revocations.ts'
export type { IntrospectionAnswer, TokenLine } from './token/token-line.ts'
