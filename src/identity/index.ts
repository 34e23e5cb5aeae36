/**
 * Identity: who calls. API keys and admin tokens: their text, how they are proven, what they are bound to.
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
