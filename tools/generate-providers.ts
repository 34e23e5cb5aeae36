// Writes docs/reference/providers.md from the provider catalogue, and docs/reference/prices.md from the price table.

import type { AuthScheme, Provider } from '../src/domain/provider.ts'
import { defaultPrices } from '../src/metering/index.ts'
import { createCatalogue } from '../src/providers/index.ts'
import { writeGenerated } from './write-generated.ts'

const { list } = createCatalogue()

const credentials: Readonly<Record<AuthScheme['kind'], string>> = {
  bearer: '`apiKey`',
  header: '`apiKey`',
  sigv4: '`accessKeyId` and `secretAccessKey` (and `sessionToken`), or `apiKey`',
  'google-oauth': '`serviceAccount`: the key file',
  none: 'none',
}

function describeCredential({ auth }: Provider): string {
  const optional = 'optional' in auth && auth.optional === true ? ' (optional)' : ''
  const place = auth.kind === 'header' ? `, sent as \`${auth.header}\`` : ''
  return credentials[auth.kind] + optional + place
}

function code(values: readonly string[], none = 'none'): string {
  return values.length === 0 ? none : values.map((value) => `\`${value}\``).join(', ')
}

function describeProvider(provider: Provider): string[] {
  const operations = Object.keys(provider.paths).filter((id) => !id.includes('#'))
  const variables = Object.values(provider.environment).flat()
  const facts: readonly (readonly [string, string])[] = [
    ['base URL', provider.baseUrl === null ? 'given by the deployment' : `\`${provider.baseUrl}\``],
    ['dialect', `\`${provider.dialect}\``],
    ['credential', describeCredential(provider)],
    ['settings', code(provider.requiredSettings)],
    ['environment', code(variables)],
    ['operations', code(operations)],
    ['models', code(provider.modelPatterns, 'any')],
    ['headers passed on', code(provider.forwardHeaders)],
  ]
  return [
    `## ${provider.name}`,
    provider.documentation === ''
      ? `\`${provider.id}\``
      : `\`${provider.id}\` · [documentation](${provider.documentation})`,
    '',
    '| | |',
    '|---|---|',
    ...facts.map(([name, value]) => `| ${name} | ${value} |`),
    '',
  ]
}

writeGenerated(
  'docs/reference/providers.md',
  [
    '<!-- Generated from src/providers/catalogue/rows.ts by npm run generate. -->',
    '# Providers',
    '',
    'A provider is a row of data. A deployment is one endpoint and credential of a provider; it may override the base',
    'URL and the dialect. A request in a dialect that the provider serves itself passes through untouched; others are',
    "translated to the provider's own dialect. The variables under *environment* make a deployment on start.",
    '',
    'The rows of Azure, Bedrock, Cohere, DeepSeek, Fireworks, Groq, LM Studio and xAI were looked up in November 2026',
    'in documentation of the vendors; the others are from general knowledge. None was tried on a live service:',
    '`gatewright providers test` tries yours, and a deployment or a row of your own corrects what does not fit.',
    '',
    ...list.flatMap(describeProvider),
  ].join('\n'),
)

const priceRows = defaultPrices.map((price) => {
  const figures = [
    price.inputPerMillion,
    price.outputPerMillion,
    price.cachedInputPerMillion ?? '',
    price.cacheWritePerMillion ?? '',
  ]
  return `| ${price.provider} | \`${price.model}\` | ${figures.join(' | ')} |`
})

writeGenerated(
  'docs/reference/prices.md',
  [
    '<!-- Generated from src/metering/prices.ts by npm run generate. -->',
    '# Built-in prices',
    '',
    'List prices in US dollars per million tokens as of 23 November 2026; configuration overrides and adds rows. An',
    'empty price means the input price. Where no row fits, the cost of a request is unknown and not guessed.',
    '',
    '| provider | model | input | output | cached input | cache write |',
    '|---|---|---|---|---|---|',
    ...priceRows,
    '',
  ].join('\n'),
)
