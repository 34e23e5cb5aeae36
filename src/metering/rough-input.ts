/**
 * Input tokens by the size of a body alone, in well under a microsecond: enough while limits are far away, when how
 * much is put aside decides nothing. Near a limit, `estimateInput` counts.
 *
 *   tokens ≈ bytes × ratio × margin        ratio: running mean of the provider's tokens / bytes, by model
 *
 * Per thread; at most 512 models, then all begin anew. The margin keeps reservations on the safe
 * side for inputs somewhat denser than usual.
 */
import type { TokenUsage } from '../domain/usage.ts'
import type { MeteredModel } from './token-calibration.ts'

const maxModels = 512
/** One token for four bytes, as `estimateTokens`. */
const firstRatio = 0.25
/** Pictures are many bytes and few tokens; text of rare scripts may be a token a byte. */
const ratioBounds = { least: 0.02, most: 1 }
const margin = 1.25
/** Exchanges that the running mean remembers. */
const memory = 32

interface Running {
  ratio: number
  count: number
}

/** Provider → model → mean: two look-ups by strings that are there cost less than making one of both. */
const providers = new Map<string, Map<string, Running>>()
let models = 0

/** An estimate on the high side for a body of so many bytes. */
export function roughInput(bytes: number, { provider, model }: MeteredModel): number {
  const ratio = providers.get(provider)?.get(model)?.ratio ?? firstRatio
  return Math.ceil(bytes * ratio * margin)
}

/** Learn from the provider's figures for a body of so many bytes; called once for each settled exchange. */
export function observeInputBytes(metered: MeteredModel, bytes: number, usage: TokenUsage): void {
  if (usage.estimated || bytes === 0 || usage.inputTokens === 0) return
  const running = runningOf(metered)
  running.count += 1
  const seen = Math.min(ratioBounds.most, Math.max(ratioBounds.least, usage.inputTokens / bytes))
  running.ratio += (seen - running.ratio) / Math.min(memory, running.count + 1)
}

function runningOf({ provider, model }: MeteredModel): Running {
  let known = providers.get(provider)
  const found = known?.get(model)
  if (found !== undefined) return found
  if (models >= maxModels) {
    // Configuration names few models; a caller who makes up names under a pattern costs others their means, no more.
    providers.clear()
    models = 0
    known = undefined
  }
  if (known === undefined) {
    known = new Map()
    providers.set(provider, known)
  }
  const running = { ratio: firstRatio, count: 0 }
  known.set(model, running)
  models += 1
  return running
}
