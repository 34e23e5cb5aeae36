export type Limit = { readonly requests: number }
