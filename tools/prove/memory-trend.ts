/** Whether memory is flat: the slope of its samples after warm-up, by least squares. */

export interface MemoryTrend {
  /** On the line, at the end of warm-up and at the end. */
  readonly from: number
  readonly to: number
  /** Growth in an hour at this slope, percent of `from`; below zero where memory shrinks. */
  readonly percentPerHour: number
}

const warmUpShare = 0.25

/** @param samples taken every `everyMs`; the first quarter is warm-up. Fewer than three others give NaN. */
export function memoryTrend(samples: readonly number[], everyMs: number): MemoryTrend {
  const warm = samples.slice(Math.floor(samples.length * warmUpShare))
  const count = warm.length
  if (count < 3) return { from: Number.NaN, to: Number.NaN, percentPerHour: Number.NaN }
  const middle = (count - 1) / 2
  const mean = warm.reduce((sum, value) => sum + value, 0) / count
  let products = 0
  let squares = 0
  for (const [at, value] of warm.entries()) {
    products += (at - middle) * (value - mean)
    squares += (at - middle) ** 2
  }
  const slope = products / squares
  const from = mean - slope * middle
  return { from, to: mean + slope * middle, percentPerHour: ((slope * 3_600_000) / everyMs / from) * 100 }
}
