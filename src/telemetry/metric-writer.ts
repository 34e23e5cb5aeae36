/**
 * Counting, as one worker does it: a label set is bound once to a cell, and counting adds to that cell. Whoever counts
 * keeps the cell; binding takes a look-up and a text. What finds no room is counted together under `other`.
 */
import { type LabelValues, type Metric, otherValue } from './metric.ts'
import {
  encodeName,
  type MetricViews,
  nameBytes,
  openViews,
  readSlot,
  slotsTaken,
  takeSlot,
  writeSlot,
} from './metric-memory.ts'
import { metricList, metrics } from './metric-table.ts'

export interface MetricWriter {
  /** The cell of a label set; the first of them, for a histogram. */
  bind<L extends readonly string[]>(metric: Metric<L>, values: LabelValues<L>): number
  /** Counters only grow: anything but a positive number is left out. */
  add(cell: number, amount: number): void
  set(cell: number, value: number): void
  observe(metric: Metric, cell: number, value: number): void
}

/** What is counted by: the table of the product, or one of a test. */
export interface MetricTable {
  readonly list: readonly Metric[]
  /** Counts the label sets that found no room; its one label is the metric. */
  readonly overflows: Metric<readonly ['metric']>
}

export const productTable: MetricTable = { list: metricList, overflows: metrics.overflows }

class Writer implements MetricWriter {
  readonly #table: MetricTable
  readonly #views: MetricViews
  readonly #cells: Float64Array
  readonly #indexes: ReadonlyMap<Metric, number>
  /** By metric: label values → cell. Bounded as the memory is. */
  readonly #known: readonly Map<string, number>[]
  /** Slots read so far, and those of them that were still being written. */
  #seen = 0
  #unready: number[] = []

  constructor(buffer: SharedArrayBuffer, writer: number, table: MetricTable) {
    this.#table = table
    this.#views = openViews(buffer, table.list)
    const cells = this.#views.cells[writer]
    if (cells === undefined) throw new RangeError(`there is no room for a writer ${writer}`)
    this.#cells = cells
    this.#indexes = new Map(table.list.map((metric, index) => [metric, index]))
    this.#known = table.list.map(() => new Map())
  }

  bind<L extends readonly string[]>(metric: Metric<L>, values: LabelValues<L>): number {
    const index = this.#indexes.get(metric)
    const known = index === undefined ? undefined : this.#known[index]
    if (index === undefined || known === undefined) throw new TypeError(`${metric.name} is not in the table`)
    const name = values.join('\0')
    const cell = known.get(name)
    if (cell !== undefined) return cell
    this.#readOn()
    return known.get(name) ?? this.#add(metric, index, values) ?? this.#overflow(metric, known)
  }

  add(cell: number, amount: number): void {
    if (amount > 0) this.#cells[cell] = (this.#cells[cell] ?? 0) + amount
  }

  set(cell: number, value: number): void {
    this.#cells[cell] = value
  }

  observe({ buckets }: Metric, cell: number, value: number): void {
    if (!(value >= 0)) return
    let bucket = 0
    while (bucket < buckets.length && value > (buckets[bucket] ?? 0)) bucket += 1
    this.add(cell + bucket, 1)
    this.add(cell + buckets.length + 1, value)
  }

  /** Take in what all threads have written down since. */
  #readOn(): void {
    const taken = slotsTaken(this.#views)
    const slots = this.#unready
    for (; this.#seen < taken; this.#seen += 1) slots.push(this.#seen)
    this.#unready = slots.filter((slot) => {
      const reading = readSlot(this.#views, slot)
      if (reading === null) return true
      const known = this.#known[reading.metric]
      if (known?.has(reading.name) === false) known.set(reading.name, reading.cell)
      return false
    })
  }

  /** Undefined: there is no room. */
  #add(metric: Metric, index: number, values: readonly string[]): number | undefined {
    const name = encodeName(values)
    const { counts } = this.#views
    const known = this.#known[index]
    if (name.byteLength > nameBytes) return undefined
    if (Atomics.add(counts, index, 1) >= metric.maxSeries) {
      Atomics.sub(counts, index, 1)
      return undefined
    }
    // Two threads may write down the same set at the same instant; the reader puts the two together.
    for (;;) {
      const slot = slotsTaken(this.#views)
      if (!takeSlot(this.#views, slot)) continue
      const cell = writeSlot(this.#views, slot, { index, metric, name })
      known?.set(values.join('\0'), cell)
      return cell
    }
  }

  #overflow(metric: Metric, known: ReadonlyMap<string, number>): number {
    const { overflows } = this.#table
    if (metric !== overflows) this.add(this.bind(overflows, [metric.name]), 1)
    const cell = known.get(metric.labels.map(() => otherValue).join('\0'))
    if (cell === undefined) throw new TypeError(`${metric.name} is not counted by workers`)
    return cell
  }
}

/** @param writer number of the worker; one thread at a time counts under it, and its successor goes on */
export function openMetricWriter(
  buffer: SharedArrayBuffer,
  writer: number,
  table: MetricTable = productTable,
): MetricWriter {
  return new Writer(buffer, writer, table)
}

/** For the control plane: what nobody but it sees. */
export function openControlMetricWriter(buffer: SharedArrayBuffer): MetricWriter {
  return openMetricWriter(buffer, openViews(buffer, productTable.list).cells.length - 1)
}
