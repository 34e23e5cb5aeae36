/**
 * The catalogue: checked rows by id. Bound: 512 providers.
 */
import type { Provider } from '../../domain/provider.ts'
import { compileProvider } from './compile-provider.ts'
import { refuse } from './refuse.ts'
import { providerRows } from './rows.ts'

export interface ProviderCatalogue {
  readonly list: readonly Provider[]
  find(id: string): Provider | undefined
}

const maxProviders = 512

/**
 * The built-in rows, then `extra` rows (plain JSON, for example from configuration).
 * @throws Fault `config.invalid` for a row that is not valid or an id that appears twice
 */
export function createCatalogue(extra: readonly unknown[] = []): ProviderCatalogue {
  const byId = new Map(builtIn.map((provider) => [provider.id, provider]))
  for (const row of extra) {
    const provider = compileProvider(row)
    if (byId.has(provider.id)) refuse(`the provider id ${provider.id} appears twice`)
    if (byId.size >= maxProviders) refuse(`there are more than ${maxProviders} providers`)
    byId.set(provider.id, provider)
  }
  const list = Object.freeze([...byId.values()])
  return Object.freeze({ list, find: (id: string) => byId.get(id) })
}

function compileBuiltIn(): readonly Provider[] {
  const compiled = providerRows.map(compileProvider)
  if (new Set(compiled.map((provider) => provider.id)).size !== compiled.length)
    refuse('a provider id appears twice')
  return compiled
}

const builtIn = compileBuiltIn()
