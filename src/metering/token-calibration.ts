/**
 * How far estimates were from the figures that providers gave, by model, and how the next ones are corrected: estimates
 * for models without a public vocabulary are multiplied by a factor that each settled exchange moves a little.
 *
 *   correction ← correction × (actual / estimated) ^ step        step: 1/5, 1/6 … 1/32
 *
 * Per thread; at most 512 models, the one that was seen first makes room. One exchange counts for at most a factor of
 * four either way, and the correction stays between a half and two, so that callers who send what no estimate fits can
 * move the reservations of others only so far. What is charged in the end is the provider's figure in any case.
 */
import type { TokenUsage } from '../domain/usage.ts'

/** A model as it is metered. */
export interface MeteredModel {
  /** Provider id. */
  readonly provider: string
  /** Model name at the provider. */
  readonly model: string
}

export interface TokenEstimateError extends MeteredModel {
  /** Exchanges that were compared. */
  readonly count: number
  /** Running mean of actual / estimated input tokens; 1 is right on average. */
  readonly ratio: number
  /** Running mean of |actual − estimated| / actual. */
  readonly meanError: number
  /** What the next estimate is multiplied by. */
  readonly correction: number
}

type Running = { -readonly [Key in keyof TokenEstimateError]: TokenEstimateError[Key] }

const maxModels = 512
/** In shorter inputs what surrounds the text outweighs it. */
const leastTokens = 32
const maxFactor = 4
const correctionBounds = { least: 0.5, most: 2 }
/** Exchanges that running figures remember. */
const memory = 32
/** The first exchanges move the correction as if so many had gone before. */
const caution = 4

const models = new Map<string, Running>()

function nameOf({ provider, model }: MeteredModel): string {
  return `${provider} ${model}`
}

/** What an estimate for the model is to be multiplied by. */
export function correctionOf(model: MeteredModel): number {
  return models.get(nameOf(model))?.correction ?? 1
}

/**
 * Compare an estimate with the provider's figures; called once for each settled exchange.
 * @param estimated what `estimateInput` said for this model; figures that are estimates themselves are left out
 */
export function observeInputTokens(model: MeteredModel, estimated: number, usage: TokenUsage): void {
  const actual = usage.inputTokens
  if (usage.estimated || actual < leastTokens || estimated < leastTokens) return
  const running = runningOf(model)
  running.count += 1
  const ratio = within(actual / estimated, 1 / maxFactor, maxFactor)
  const share = 1 / Math.min(memory, running.count)
  running.ratio += (ratio - running.ratio) * share
  running.meanError += (Math.abs(actual - estimated) / actual - running.meanError) * share
  const step = 1 / Math.min(memory, running.count + caution)
  const { least, most } = correctionBounds
  running.correction = within(running.correction * ratio ** step, least, most)
}

function runningOf(model: MeteredModel): Running {
  const name = nameOf(model)
  let running = models.get(name)
  if (running === undefined) {
    const [oldest] = models.keys()
    if (models.size >= maxModels && oldest !== undefined) models.delete(oldest)
    running = {
      provider: model.provider,
      model: model.model,
      count: 0,
      ratio: 1,
      meanError: 0,
      correction: 1,
    }
    models.set(name, running)
  }
  return running
}

function within(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}

/**
 * Figures of this thread, by model.
 * @internal Tests look here at what was learnt, and that it is bounded.
 */
export function tokenEstimateErrors(): readonly TokenEstimateError[] {
  return [...models.values()].map((running) => ({ ...running }))
}
