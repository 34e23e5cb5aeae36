/**
 * Identity: who calls. API keys and admin tokens: their text, how they are proven, what they are bound to.
 * Assumes a key text of 256 random bits; bounds stand with each part.
 */
export {
  type MintedAdminToken,
  type MintedApiKey,
  mintAdminToken,
  mintApiKey,
  mintApiKeySecret,
  type ParsedApiKey,
  parseAdminToken,
  parseApiKey,
} from './api-key/api-key-text.ts'
export { type AddressMatcher, compileCidrs, isCidr, maxCidrs } from './api-key/compile-cidrs.ts'
export { compilePatterns, isPattern, maxPatterns, type PatternMatcher } from './api-key/compile-patterns.ts'
export { snapshotKey, snapshotKeys } from './api-key/key-snapshot.ts'
export { type OpenedPeppers, openPeppers, rotatePepper } from './api-key/open-peppers.ts'
export { defaultOverlapMs, planRotation, type RotationTerms } from './api-key/plan-rotation.ts'
export {
  compilePeppers,
  hashApiKey,
  type Peppers,
  type VerifiableKey,
  verifyApiKey,
} from './api-key/secret-hash.ts'
