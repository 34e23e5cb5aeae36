/**
 * Which price applies to a model, and what an exchange costs.
 *
 * A provider's own rows come before rows for any provider (`*`); within each, an exact name before patterns, and the
 * longest pattern before shorter ones; of equals, the later row, so that configuration overrides the built-in table.
 * Bounds: one look-up per name is remembered, at most 4,096 names (callers can choose names under pattern routes).
 */
import type { PriceRow } from '../domain/snapshot.ts'
import { noUsage, type TokenUsage } from '../domain/usage.ts'

export interface PriceBook {
  find(provider: string, model: string): PriceRow | null
}

const maxRemembered = 4096

interface Shelf {
  readonly exact: Map<string, PriceRow>
  /** Prefix and row, longest prefix first. */
  patterns: (readonly [prefix: string, row: PriceRow])[]
}

function fillShelf(rows: readonly PriceRow[]): Shelf {
  const exact = new Map<string, PriceRow>()
  const byPrefix = new Map<string, PriceRow>()
  for (const row of rows) {
    if (row.model.endsWith('*')) byPrefix.set(row.model.slice(0, -1), row)
    else exact.set(row.model, row)
  }
  return { exact, patterns: [...byPrefix].sort((a, b) => b[0].length - a[0].length) }
}

function findOn(shelf: Shelf | undefined, model: string): PriceRow | null {
  if (shelf === undefined) return null
  const exact = shelf.exact.get(model)
  if (exact !== undefined) return exact
  for (const [prefix, row] of shelf.patterns) if (model.startsWith(prefix)) return row
  return null
}

/** Prepares rows for look-up. */
export function compilePrices(rows: readonly PriceRow[]): PriceBook {
  const grouped = new Map<string, PriceRow[]>()
  for (const row of rows) {
    const group = grouped.get(row.provider)
    if (group === undefined) grouped.set(row.provider, [row])
    else group.push(row)
  }
  const shelves = new Map([...grouped].map(([provider, group]) => [provider, fillShelf(group)]))
  const anyProvider = shelves.get('*')
  // Provider → model → row: two look-ups by strings that are there already cost less than making a joint one.
  const remembered = new Map<string, Map<string, PriceRow | null>>()
  let count = 0
  return {
    find(provider, model) {
      let models = remembered.get(provider)
      const known = models?.get(model)
      if (known !== undefined) return known
      const found = findOn(shelves.get(provider), model) ?? findOn(anyProvider, model)
      if (models === undefined || count >= maxRemembered) {
        if (count >= maxRemembered) {
          remembered.clear()
          count = 0
        }
        models = new Map()
        remembered.set(provider, models)
      }
      models.set(model, found)
      count += 1
      return found
    },
  }
}

/** Prices hold at most six decimals: US dollars per million tokens × this = an integer. */
const scale = 1_000_000
/** Below this, products, sum and the one division are exact in doubles; above, big integers do the same sum. */
const exactLimit = 1e15

/** Price of one token in units of 1e-6 micro-dollars. */
function unitPrice(perMillion: number): number {
  return Math.round(perMillion * scale)
}

function whole(tokens: number): number {
  return Math.max(0, Math.trunc(tokens))
}

/**
 * Cost in micro US dollars. A dollar price per million tokens is the same number of micro-dollars per token, so the
 * sum is exact in integers of 1e-6 micro-dollars; it is rounded once, at the end, half up to a whole micro-dollar.
 * Cached and cache-writing tokens are parts of the input and have their own prices, or the input price.
 */
export function costMicroUsd(price: PriceRow, usage: TokenUsage): number {
  const { cachedInputTokens: cached, cacheWriteTokens: written } = usage
  const input = price.inputPerMillion
  // No list is made of the four parts: this runs for each exchange, under limits twice.
  const plain = whole(usage.inputTokens - cached - written)
  const plainPrice = unitPrice(input)
  const cachedPrice = unitPrice(price.cachedInputPerMillion ?? input)
  const writtenPrice = unitPrice(price.cacheWritePerMillion ?? input)
  const outputPrice = unitPrice(price.outputPerMillion)
  const total =
    scale / 2 +
    plain * plainPrice +
    whole(cached) * cachedPrice +
    whole(written) * writtenPrice +
    whole(usage.outputTokens) * outputPrice
  if (total < exactLimit) return Math.floor(total / scale)
  return roundExactly([
    [plain, plainPrice],
    [whole(cached), cachedPrice],
    [whole(written), writtenPrice],
    [whole(usage.outputTokens), outputPrice],
  ])
}

function roundExactly(lines: readonly (readonly [tokens: number, price: number])[]): number {
  const divisor = BigInt(scale)
  let total = divisor / 2n
  for (const [tokens, price] of lines) total += BigInt(tokens) * BigInt(price)
  return Number(total / divisor)
}

/** Cost of so many tokens at most: the provider may write the whole input to its prompt cache, where that costs more. */
export function costAtMost(
  price: PriceRow,
  { inputTokens, outputTokens }: Pick<TokenUsage, 'inputTokens' | 'outputTokens'>,
): number {
  const isWritingDearer = (price.cacheWritePerMillion ?? 0) > price.inputPerMillion
  const cacheWriteTokens = isWritingDearer ? inputTokens : 0
  return costMicroUsd(price, { ...noUsage, inputTokens, outputTokens, cacheWriteTokens })
}
