export type Provider = { readonly name: string }
