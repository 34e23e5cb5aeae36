import type { Limit } from '../limits/index.ts'

export type Store = { readonly limit: Limit }
