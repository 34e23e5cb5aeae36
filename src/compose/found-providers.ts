/** Providers whose well-known variables are set, as the resources slice takes them. */
import type { Environment } from '../config/index.ts'
import type { PriceRow } from '../domain/snapshot.ts'
import { type ProviderCatalogue, readEnvironment } from '../providers/index.ts'
import type { FoundProvider } from '../resources/index.ts'

/** Look through the catalogue. `prices` tells which models each provider is known to have. */
export function findProviders(
  catalogue: ProviderCatalogue,
  environment: Environment,
  prices: readonly PriceRow[],
): FoundProvider[] {
  const found: FoundProvider[] = []
  for (const provider of catalogue.list) {
    const deployment = readEnvironment(provider, environment)
    if (deployment === null) continue
    const { baseUrl, region, settings, allowPrivateNetwork, secretVariables, secretFiles } = deployment
    const variables = Object.entries(secretVariables).map(([field, name]) => [field, `env:${name}`] as const)
    const files = Object.entries(secretFiles).map(([field, path]) => [field, `file:${path}`] as const)
    found.push({
      provider,
      baseUrl,
      region,
      settings,
      allowPrivateNetwork,
      references: Object.fromEntries([...variables, ...files]),
      knownModels: prices
        .filter((row) => row.provider === provider.id && !row.model.endsWith('*'))
        .map((row) => row.model),
    })
  }
  return found
}
