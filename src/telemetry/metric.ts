/**
 * What a metric is: a row of a typed table. The renderer, the reference and the shared memory read the row; nothing
 * below enumerates metrics. Names follow Prometheus (base units, `_total` on counters), label names too.
 */

export type MetricKind = 'counter' | 'gauge' | 'histogram'

/**
 * `workers` count in shared memory · `node`: the control plane reads a figure that lives elsewhere when it is asked ·
 * `view`: the cells of another metric under another name.
 */
export type MetricSource = 'workers' | 'node' | 'view'

/** Base units; empty: things are counted. The name ends with the unit (before `_total`). */
export type MetricUnit = '' | 'seconds' | 'bytes' | 'ratio' | 'usd'

export interface Metric<L extends readonly string[] = readonly string[]> {
  readonly name: string
  readonly kind: MetricKind
  readonly unit: MetricUnit
  readonly help: string
  readonly labels: L
  /** Upper bounds of a histogram's buckets, ascending, without the infinite one. */
  readonly buckets: readonly number[]
  /** Most label sets; further ones are counted together, every label being `other`. */
  readonly maxSeries: number
  /** What a gauge of several threads is: their sum, or the mean of those that have set it. */
  readonly combine: 'sum' | 'mean'
  readonly source: MetricSource
}

/** One value for each label, in the order of the row. */
export type LabelValues<L extends readonly string[]> = { readonly [K in keyof L]: string }

/** Value of every label of the series that takes what found no room. */
export const otherValue = 'other'

export interface MetricText<L extends readonly string[]> {
  readonly help: string
  readonly labels?: L
  readonly unit?: MetricUnit
  readonly maxSeries?: number
  readonly combine?: Metric['combine']
}

function metric<const L extends readonly string[]>(
  name: string,
  kind: MetricKind,
  { text, ...rest }: Pick<Metric, 'source' | 'buckets'> & { readonly text: MetricText<L> },
): Metric<L> {
  const labels = text.labels ?? ([] as readonly string[] as L)
  const maxSeries = labels.length === 0 ? 1 : (text.maxSeries ?? 100)
  const { help, unit = '', combine = 'sum' } = text
  return Object.freeze({ name, kind, unit, help, labels, maxSeries, combine, ...rest })
}

/** Rows of one source. */
export function metricsOf(source: MetricSource) {
  return {
    counter: <const L extends readonly string[] = readonly []>(
      name: string,
      text: MetricText<L>,
    ): Metric<L> => metric(name, 'counter', { source, buckets: [], text }),
    gauge: <const L extends readonly string[] = readonly []>(name: string, text: MetricText<L>): Metric<L> =>
      metric(name, 'gauge', { source, buckets: [], text }),
    histogram: <const L extends readonly string[] = readonly []>(
      name: string,
      text: MetricText<L> & { readonly buckets: readonly number[] },
    ): Metric<L> => metric(name, 'histogram', { source, buckets: text.buckets, text }),
  }
}

/** Numbers that one label set takes: a histogram's are its buckets, the infinite one, and the sum. */
export function cellsOf({ kind, buckets }: Metric): number {
  return kind === 'histogram' ? buckets.length + 2 : 1
}
