import type { Usage } from '../domain/usage.ts'

export type Clock = { readonly last: Usage }
