/**
 * Exemplars: for each bucket of a histogram of durations the last trace that fell into it and was sent on. They come from
 * the traces that the control plane keeps, so each leads to a trace that is there, and counting requests costs nothing more.
 *
 * Bound: `maxSeries` label sets, the oldest one goes; a bucket holds one exemplar.
 */
import type { Metric } from './metric.ts'
import type { Exemplar, MetricFamily, Series } from './metric-family.ts'
import { metrics } from './metric-table.ts'

/** A traced exchange, in what the book reads of it. */
export interface TracedExchange {
  readonly traceId: string
  readonly spanId: string
  /** Unix milliseconds. */
  readonly time: number
  readonly durationMs: number
  readonly operation: string
  readonly modelLabel: string
  readonly streamed: boolean
}

const maxSeries = 400

export class ExemplarBook {
  /** By label values of `requestDuration`. */
  readonly #series = new Map<string, (Exemplar | undefined)[]>()

  observe({ traceId, spanId, time, durationMs, operation, modelLabel, streamed }: TracedExchange): void {
    const name = nameOf([operation, modelLabel, String(streamed)])
    const value = durationMs / 1000
    const known = this.#series.get(name) ?? []
    known[bucketOf(metrics.requestDuration, value)] = {
      traceId,
      spanId,
      value,
      at: (time + durationMs) / 1000,
    }
    this.#series.set(name, known)
    if (this.#series.size <= maxSeries) return
    for (const oldest of this.#series.keys()) {
      this.#series.delete(oldest)
      return
    }
  }

  /** The families, with exemplars where there are some. */
  attach(families: readonly MetricFamily[]): readonly MetricFamily[] {
    return families.map((family) => {
      if (family.metric !== metrics.requestDuration) return family
      return { ...family, series: family.series.map((series) => this.#attachTo(series)) }
    })
  }

  #attachTo(series: Series): Series {
    const exemplars = this.#series.get(nameOf(series.values))
    return exemplars === undefined ? series : { ...series, exemplars }
  }
}

function nameOf(values: readonly string[]): string {
  return values.join('\0')
}

function bucketOf({ buckets }: Metric, value: number): number {
  const at = buckets.findIndex((bound) => value <= bound)
  return at < 0 ? buckets.length : at
}
