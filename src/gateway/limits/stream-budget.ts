/**
 * Keeps a stream within its limits while it runs. What is used is counted a quarter of the reservation at a time; what
 * goes beyond the reservation is asked for in advance, in small steps, so that a hard budget is passed by no more than
 * the error of the estimate. Costs a comparison for each chunk, and a look at the counters every `stepTokens` at most.
 */
import type { LimitRule } from '../../domain/limits.ts'
import type { LimitActual } from '../../limits/index.ts'
import { costAtMost } from '../../metering/index.ts'
import type { Exchange, ExchangeLimits } from '../exchange.ts'
import { priceOf } from '../metered-model.ts'

const stepTokens = 64
const countedParts = 4
/** A provider keeps to a cap; estimates of what came may be that far off without any of it being beyond the cap. */
const capTolerance = 1.5

export class StreamBudget {
  readonly #exchange: Exchange
  readonly #limits: ExchangeLimits
  /** Tokens up to which nothing has to be asked for. */
  #granted: number
  /** Tokens at which the counters are looked at next. */
  #next: number
  readonly #every: number

  constructor(exchange: Exchange, limits: ExchangeLimits) {
    const { outputTokens } = limits.request
    this.#exchange = exchange
    this.#limits = limits
    this.#granted = limits.request.isCapped ? Math.ceil(outputTokens * capTolerance) : outputTokens
    this.#every = Math.max(stepTokens, Math.ceil(outputTokens / countedParts))
    this.#next = Math.min(this.#every, this.#granted)
  }

  /** The stream has had so many tokens. A rule: it must end here. */
  look(outputTokens: number): LimitRule | null {
    return outputTokens <= this.#next ? null : this.#look(outputTokens)
  }

  #look(outputTokens: number): LimitRule | null {
    let rule: LimitRule | null = null
    if (outputTokens < this.#granted) {
      rule = this.#limits.progress(this.#figures(outputTokens))
      this.#next = Math.min(outputTokens + this.#every, this.#granted)
      return rule
    }
    // The last step may be smaller: what is left is given out to the last token.
    for (let step = stepTokens; step >= 1; step = Math.floor(step / 2)) {
      const asked = Math.max(outputTokens, this.#granted) + step
      rule = this.#limits.progress(this.#figures(asked))
      if (rule !== null) continue
      this.#granted = asked
      this.#next = asked
      return null
    }
    return rule
  }

  #figures(outputTokens: number): LimitActual {
    const { inputTokens, costMicroUsd: reserved } = this.#limits.request
    const { lost } = this.#exchange
    const cost = reserved === 0 ? 0 : this.#cost(inputTokens, outputTokens)
    if (lost === null) return { inputTokens, outputTokens, costMicroUsd: cost }
    return {
      inputTokens: inputTokens + lost.usage.inputTokens,
      outputTokens: outputTokens + lost.usage.outputTokens,
      costMicroUsd: cost + lost.costMicroUsd,
    }
  }

  #cost(inputTokens: number, outputTokens: number): number {
    const { target } = this.#exchange
    const price = target === null ? null : priceOf(this.#exchange, target)
    return price === null ? 0 : costAtMost(price, { inputTokens, outputTokens })
  }
}
