import type { Usage } from '../../src/domain/usage.ts'

export type ClientUsage = Usage
