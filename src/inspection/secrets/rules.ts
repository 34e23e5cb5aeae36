/** Every kind of secret. Where several begin at one place, the first in this order counts. */
import { contextRules } from './context-rules.ts'
import { prefixedRules } from './prefixed-rules.ts'
import type { SecretRule } from './secret-rule.ts'

export const secretRules: readonly SecretRule[] = Object.freeze([...prefixedRules, ...contextRules])
