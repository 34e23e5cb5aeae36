import type { Price } from './price.ts'

export type Usage = { readonly price: Price }
