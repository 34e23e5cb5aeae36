import type { Usage } from './usage.ts'

export type Price = { readonly of: Usage }
