/**
 * Models as metrics name them: a metered model that the configuration names is itself; what callers named through a
 * pattern is the pattern. Compiled with each snapshot.
 */
import type { MeteredModel } from '../metering/index.ts'
import { otherValue } from '../telemetry/index.ts'

/** What is read of a compiled route. */
interface NamedRoute {
  readonly name: string
  readonly prefix: string | null
  readonly targets: readonly {
    readonly model: string | null
    readonly deployment: { readonly provider: { readonly id: string } }
  }[]
}
interface NamedRoutes {
  readonly exact: ReadonlyMap<string, NamedRoute>
  readonly patterns: readonly NamedRoute[]
}

interface ProviderModels {
  readonly exact: Set<string>
  /** Prefix of the names that the provider gets, and the name of the route. */
  readonly patterns: { readonly prefix: string; readonly name: string }[]
}

export function compileModelLabels(
  organizations: ReadonlyMap<string, NamedRoutes>,
): (model: MeteredModel) => string {
  const providers = new Map<string, ProviderModels>()
  for (const { exact, patterns } of organizations.values()) {
    for (const route of new Set([...exact.values(), ...patterns])) {
      for (const { deployment, model } of route.targets) {
        const { id } = deployment.provider
        const models = providers.get(id) ?? { exact: new Set(), patterns: [] }
        providers.set(id, models)
        if (model !== null || route.prefix === null) models.exact.add(model ?? route.name)
        // What stands before a slash names the route alone: the provider gets what comes after it.
        else
          models.patterns.push({ prefix: route.prefix.endsWith('/') ? '' : route.prefix, name: route.name })
      }
    }
  }
  for (const { patterns } of providers.values()) patterns.sort((a, b) => b.prefix.length - a.prefix.length)
  return ({ provider, model }) => {
    const models = providers.get(provider)
    if (models?.exact.has(model) === true) return model
    return models?.patterns.find(({ prefix }) => model.startsWith(prefix))?.name ?? otherValue
  }
}
