/**
 * How many tokens a model's answers have, where a request sets no cap: the 95th percentile of its last answers. What an
 * answer has beyond it is taken while it streams, or debited when it is settled.
 *
 * Bounds: 512 models (of an organization, as callers name them), the one seen first makes room; 64 figures each.
 */
const maxModels = 512
const remembered = 64
/** Fewer answers say nothing about their 95th percentile. */
const leastAnswers = 8
/** Until so many are known. */
const unknownTokens = 1024
const share = 0.95

interface Answers {
  readonly figures: Uint32Array
  count: number
  expected: number
}

export class OutputExpectations {
  readonly #models = new Map<string, Answers>()

  /** Tokens to reserve for one answer. */
  expect(organizationId: string, model: string): number {
    return this.#models.get(`${organizationId} ${model}`)?.expected ?? unknownTokens
  }

  /** One answer had so many tokens. */
  observe(organizationId: string, model: string, tokens: number): void {
    const name = `${organizationId} ${model}`
    let answers = this.#models.get(name)
    if (answers === undefined) {
      const [first] = this.#models.keys()
      if (this.#models.size >= maxModels && first !== undefined) this.#models.delete(first)
      answers = { figures: new Uint32Array(remembered), count: 0, expected: unknownTokens }
      this.#models.set(name, answers)
    }
    answers.figures[answers.count % remembered] = tokens
    answers.count += 1
    if (answers.count % leastAnswers === 0) answers.expected = percentile(answers)
  }
}

function percentile({ figures, count }: Answers): number {
  const sorted = figures.slice(0, Math.min(count, remembered)).sort()
  return Math.max(1, sorted[Math.ceil(sorted.length * share) - 1] ?? 1)
}
