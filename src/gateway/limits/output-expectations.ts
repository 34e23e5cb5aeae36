/**
 * How many tokens a model's answers have, where a request sets no cap: the 95th percentile of its last answers. What an
 * answer has beyond it is taken while it streams, or debited when it is settled.
 *
 * Bounds: 256 organizations of 64 models (as callers name them); the one seen first makes room. Names that a caller
 * makes up under a pattern cost its own organization expectations, nobody else.
 */
const maxOrganizations = 256
const maxModels = 64
const remembered = 64
/** Fewer answers say nothing about their 95th percentile. */
const leastAnswers = 8
/** Until so many are known. */
const unknownTokens = 1024
const share = 0.95

/** What is known of the answers of one model. */
export class OutputExpectation {
  readonly #figures = new Uint32Array(remembered)
  #count = 0
  /** Tokens to reserve for one answer. */
  expected = unknownTokens

  /** One answer had so many tokens. */
  observe(tokens: number): void {
    this.#figures[this.#count % remembered] = tokens
    this.#count += 1
    // Often at first; sorting for every few answers would cost more than it tells.
    const every = this.#count < remembered ? leastAnswers : remembered
    if (this.#count % every === 0) this.expected = percentile(this.#figures, this.#count)
  }
}

/** Organization → model: two look-ups by strings that are there cost less than making one of both. */
export class OutputExpectations {
  readonly #organizations = new Map<string, Map<string, OutputExpectation>>()

  of(organizationId: string, model: string): OutputExpectation {
    return this.#organizations.get(organizationId)?.get(model) ?? this.#add(organizationId, model)
  }

  #add(organizationId: string, model: string): OutputExpectation {
    const models = findOrAdd(this.#organizations, organizationId, {
      most: maxOrganizations,
      make: () => new Map<string, OutputExpectation>(),
    })
    return findOrAdd(models, model, { most: maxModels, make: () => new OutputExpectation() })
  }
}

function findOrAdd<Value>(
  map: Map<string, Value>,
  name: string,
  { most, make }: { readonly most: number; readonly make: () => Value },
): Value {
  const found = map.get(name)
  if (found !== undefined) return found
  const [first] = map.keys()
  if (map.size >= most && first !== undefined) map.delete(first)
  const made = make()
  map.set(name, made)
  return made
}

function percentile(figures: Uint32Array, count: number): number {
  const sorted = figures.slice(0, Math.min(count, remembered)).sort()
  return Math.max(1, sorted[Math.ceil(sorted.length * share) - 1] ?? 1)
}
