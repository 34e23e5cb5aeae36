/**
 * Sums what the workers counted. Reading takes no lock: numbers that belong together may be one step apart, and each
 * is right. The count of a histogram follows from its buckets, so those two always agree.
 */
import { cellsOf, type Metric, otherValue } from './metric.ts'
import { type MetricFamily, SeriesSet } from './metric-family.ts'
import {
  forgetGauges,
  type MetricViews,
  openViews,
  readSlot,
  type SlotReading,
  slotsTaken,
} from './metric-memory.ts'
import { type MetricTable, productTable } from './metric-writer.ts'

export interface MetricReader {
  read(): readonly MetricFamily[]
  /** A worker has ended: what it counted stays, how it stood is no more. */
  forget(writer: number): void
}

export function openMetricReader(
  buffer: SharedArrayBuffer,
  { list }: Pick<MetricTable, 'list'> = productTable,
): MetricReader {
  const views = openViews(buffer, list)
  /** Slots do not change once they can be read. */
  const readings: (SlotReading | null)[] = []
  return {
    read() {
      const sets = new Map(
        list.filter(({ source }) => source === 'workers').map((each) => [each, new SeriesSet(each)]),
      )
      for (let slot = 0; slot < slotsTaken(views); slot += 1) {
        const reading = readings[slot] ?? readSlot(views, slot)
        readings[slot] = reading
        const metric = list[reading?.metric ?? -1]
        if (reading !== null && metric !== undefined) addSlot(sets.get(metric), metric, { views, reading })
      }
      return [...sets.values()].map((set) => set.family)
    },
    forget: (writer) => forgetGauges(views, list, writer),
  }
}

interface Found {
  readonly views: MetricViews
  readonly reading: SlotReading
}

function addSlot(set: SeriesSet | undefined, metric: Metric, { views, reading }: Found): void {
  const cells = metric.kind === 'gauge' ? gaugeOf(metric, views, reading) : sumsOf(metric, views, reading)
  if (cells === null) return
  const values = metric.labels.length === 0 ? [] : reading.name.split('\0')
  // Made for what may find no room; nothing to be seen until something did not.
  const isSpare = metric.labels.length > 0 && values.every((value) => value === otherValue)
  if (!isSpare || cells.some((cell) => cell !== 0)) set?.add(values, cells)
}

function sumsOf(metric: Metric, { cells }: MetricViews, { cell }: SlotReading): readonly number[] {
  return Array.from({ length: cellsOf(metric) }, (_, at) =>
    cells.reduce((sum, own) => sum + (own[cell + at] ?? 0), 0),
  )
}

/** Null: nobody has set it. */
function gaugeOf(
  { combine }: Metric,
  { cells }: MetricViews,
  { cell }: SlotReading,
): readonly number[] | null {
  const set = cells.map((own) => own[cell] ?? Number.NaN).filter((value) => !Number.isNaN(value))
  if (set.length === 0) return null
  const sum = set.reduce((total, value) => total + value, 0)
  return [combine === 'mean' ? sum / set.length : sum]
}
