import type { Provider } from '../providers/index.ts'

export type Decision = { readonly provider: Provider }
