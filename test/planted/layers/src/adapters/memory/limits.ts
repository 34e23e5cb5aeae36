import type { Limit } from '../../limits/index.ts'

export type Stored = Limit
