/**
 * The memory in which the workers count, in one SharedArrayBuffer. Label sets are written down in it, so that any
 * thread that opens it knows what each number means, also when the thread that counted has died, or the reader has.
 *
 *   head      slots taken, cells taken
 *   counts    per metric: label sets that have a slot
 *   slots     per label set: state, metric, first cell, length of its name       the cell is the same for every writer
 *   names     per slot: label values in UTF-8, with a zero byte between them
 *   cells     per writer: the numbers. A worker writes its own alone, so plain stores do; the reader sums.
 *
 * A new label set takes atomics, once; counting takes none. Aligned doubles are written in one instruction on the
 * 64-bit processors that Node.js runs on, so a reader sees a number before or after a step, never half of one.
 * A gauge that a writer has not set is NaN. A thread that dies while it writes down a label set loses that slot.
 *
 * Bounds: the table's `maxSeries` for each metric, and there are slots and cells for all of them; pages that nobody
 * touches take no memory.
 */
import { cellsOf, type Metric, otherValue } from './metric.ts'

/** Bytes of the values of one label set. */
export const nameBytes = 512
const headSlots = 0
const headCells = 1
const headWords = 2

const slotWords = 4
const slotState = 0
const slotMetric = 1
const slotCell = 2
const slotLength = 3

/** State of a slot that can be read; 0: free, or being written. */
const slotReady = 1

export interface MetricViews {
  readonly head: Int32Array
  readonly counts: Int32Array
  readonly slots: Int32Array
  readonly names: Uint8Array
  /** By writer. */
  readonly cells: readonly Float64Array[]
}

interface Sizes {
  readonly metrics: number
  readonly slots: number
  readonly cells: number
}

function sizesOf(list: readonly Metric[]): Sizes {
  // The series of what found no room comes on top.
  const series = ({ source, maxSeries }: Metric): number => (source === 'workers' ? maxSeries + 1 : 0)
  return {
    metrics: list.length,
    slots: list.reduce((sum, metric) => sum + series(metric), 0),
    cells: list.reduce((sum, metric) => sum + series(metric) * cellsOf(metric), 0),
  }
}

const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64

function offsetsOf({ metrics, slots, cells }: Sizes) {
  const counts = aligned(headWords * 4)
  const slotsAt = counts + aligned(metrics * 4)
  const names = slotsAt + aligned(slots * slotWords * 4)
  const cellsAt = names + aligned(slots * nameBytes)
  return { counts, slots: slotsAt, names, cells: cellsAt, perWriter: aligned(cells * 8) }
}

export function openViews(buffer: SharedArrayBuffer, list: readonly Metric[]): MetricViews {
  const sizes = sizesOf(list)
  const at = offsetsOf(sizes)
  const writers = Math.floor((buffer.byteLength - at.cells) / at.perWriter)
  return {
    head: new Int32Array(buffer, 0, headWords),
    counts: new Int32Array(buffer, at.counts, sizes.metrics),
    slots: new Int32Array(buffer, at.slots, sizes.slots * slotWords),
    names: new Uint8Array(buffer, at.names, sizes.slots * nameBytes),
    cells: Array.from(
      { length: writers },
      (_, writer) => new Float64Array(buffer, at.cells + writer * at.perWriter, sizes.cells),
    ),
  }
}

/** Memory for `writers` threads, with the first series of each metric: the one of what finds no room. */
export function createMetricBuffer(list: readonly Metric[], writers: number): SharedArrayBuffer {
  const at = offsetsOf(sizesOf(list))
  const buffer = new SharedArrayBuffer(at.cells + writers * at.perWriter)
  const views = openViews(buffer, list)
  for (const [index, metric] of list.entries()) {
    if (metric.source !== 'workers') continue
    const slot = Atomics.add(views.head, headSlots, 1)
    const values = metric.labels.map(() => otherValue)
    writeSlot(views, slot, { index, metric, name: encodeName(values) })
  }
  return buffer
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** No value holds a zero byte: it would be read as two. */
export function encodeName(values: readonly string[]): Uint8Array {
  return encoder.encode(values.map((value) => value.replaceAll('\0', '')).join('\0'))
}

export interface NewSlot {
  readonly index: number
  readonly metric: Metric
  readonly name: Uint8Array
}

/** Fill a slot that this thread has taken. Returns its first cell. */
export function writeSlot(views: MetricViews, slot: number, { index, metric, name }: NewSlot): number {
  const count = cellsOf(metric)
  const first = Atomics.add(views.head, headCells, count)
  if (metric.kind === 'gauge') for (const cells of views.cells) cells.fill(Number.NaN, first, first + count)
  views.names.set(name, slot * nameBytes)
  const word = slot * slotWords
  views.slots[word + slotMetric] = index
  views.slots[word + slotCell] = first
  views.slots[word + slotLength] = name.byteLength
  Atomics.store(views.slots, word + slotState, slotReady)
  return first
}

export interface SlotReading {
  readonly metric: number
  readonly cell: number
  /** As `encodeName` made it, decoded. */
  readonly name: string
}

/** Null: there is nothing in it, or not yet. */
export function readSlot(views: MetricViews, slot: number): SlotReading | null {
  const word = slot * slotWords
  if (Atomics.load(views.slots, word + slotState) !== slotReady) return null
  const start = slot * nameBytes
  // Text decoders refuse shared memory: a copy.
  const name = decoder.decode(views.names.slice(start, start + (views.slots[word + slotLength] ?? 0)))
  return { metric: views.slots[word + slotMetric] ?? 0, cell: views.slots[word + slotCell] ?? 0, name }
}

export function slotsTaken(views: MetricViews): number {
  return Atomics.load(views.head, headSlots)
}

/** Take the slot that comes next. False: another thread has it. */
export function takeSlot(views: MetricViews, slot: number): boolean {
  return Atomics.compareExchange(views.head, headSlots, slot, slot + 1) === slot
}

/** A writer has ended: what it counted stays, how it stood is no more. */
export function forgetGauges(views: MetricViews, list: readonly Metric[], writer: number): void {
  const cells = views.cells[writer]
  for (let slot = 0; slot < slotsTaken(views); slot += 1) {
    const reading = readSlot(views, slot)
    if (reading !== null && list[reading.metric]?.kind === 'gauge')
      cells?.fill(Number.NaN, reading.cell, reading.cell + 1)
  }
}
