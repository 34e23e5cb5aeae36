/**
 * The catalogue: checked rows by id. Bound: 512 providers.
 */
import type { Provider } from '../../domain/provider.ts'
import { Fault } from '../../kernel/fault.ts'
import { compileProvider } from './compile-provider.ts'
import { refuse } from './refuse.ts'
import { providerRows } from './rows.ts'

export interface ProviderCatalogue {
  readonly list: readonly Provider[]
  find(id: string): Provider | undefined
}

const maxProviders = 512

/** What becomes of an extra row that cannot be taken. `fault`: `config.invalid`. */
export type RefuseRow = (index: number, fault: Fault) => void

/**
 * The built-in rows, then `extra` rows (plain JSON, for example from configuration).
 * @throws Fault `config.invalid` for a row that is not valid or an id that appears twice, unless `refused` takes it
 */
export function createCatalogue(extra: readonly unknown[] = [], refused?: RefuseRow): ProviderCatalogue {
  const byId = new Map(builtIn.map((provider) => [provider.id, provider]))
  for (const [index, row] of extra.entries()) {
    try {
      const provider = compileProvider(row)
      if (byId.has(provider.id)) refuse(`the provider id ${provider.id} appears twice`)
      if (byId.size >= maxProviders) refuse(`there are more than ${maxProviders} providers`)
      byId.set(provider.id, provider)
    } catch (error) {
      if (refused === undefined || !(error instanceof Fault)) throw error
      refused(index, error)
    }
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
