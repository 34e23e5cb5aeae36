/** Figures of one metric at one instant. */
import { type LabelValues, type Metric, otherValue } from './metric.ts'

/** A trace that is an example of what a bucket counts. */
export interface Exemplar {
  readonly traceId: string
  readonly spanId: string
  readonly value: number
  /** Unix seconds. */
  readonly at: number
}

export interface Series {
  readonly values: readonly string[]
  /** One number; of a histogram the count of each bucket (not summed up), the infinite one's, and the sum. */
  readonly cells: readonly number[]
  /** By bucket; absent: none. */
  readonly exemplars?: readonly (Exemplar | undefined)[]
}

export interface MetricFamily {
  readonly metric: Metric
  readonly series: readonly Series[]
}

/** Series of one metric by label values: what has the same is put together, and what goes beyond `maxSeries`. */
export class SeriesSet {
  readonly #metric: Metric
  readonly #series = new Map<string, { readonly values: readonly string[]; readonly cells: number[] }>()

  constructor(metric: Metric) {
    this.#metric = metric
  }

  add(values: readonly string[], cells: readonly number[]): void {
    const name = values.join('\0')
    const known = this.#series.get(name)
    if (known !== undefined) {
      for (const [at, cell] of cells.entries()) known.cells[at] = (known.cells[at] ?? 0) + cell
      return
    }
    const others = values.map(() => otherValue)
    const otherName = others.join('\0')
    const own = this.#series.size - (this.#series.has(otherName) ? 1 : 0)
    if (own < this.#metric.maxSeries || name === otherName)
      this.#series.set(name, { values, cells: [...cells] })
    else this.add(others, cells)
  }

  get family(): MetricFamily {
    return { metric: this.#metric, series: [...this.#series.values()] }
  }
}

/** Figures that are read where they live, gathered at one instant. */
export interface FamilyCollector {
  add<L extends readonly string[]>(metric: Metric<L>, values: LabelValues<L>, value: number): void
  readonly families: readonly MetricFamily[]
}

export function createFamilyCollector(): FamilyCollector {
  const sets = new Map<Metric, SeriesSet>()
  return {
    add(metric, values, value) {
      let set = sets.get(metric)
      if (set === undefined) {
        set = new SeriesSet(metric)
        sets.set(metric, set)
      }
      set.add(values, [value])
    },
    get families() {
      return [...sets.values()].map((set) => set.family)
    },
  }
}
