/**
 * Figures of rules: how often one refused. Cells are found by the hash of the rule's id and never given back; when
 * all are taken (8,192 rules) further rules have no figures, and refuse all the same.
 */
import { type RuleFigure, ruleFigures } from '../../ports/node-counters.ts'
import { hashName } from './hash-name.ts'
import { type CounterViews, headHashKey, ruleCells } from './layout.ts'

const figuresPerCell = 4
/** Ids whose cell is remembered by a thread. */
const maxRemembered = 8192

export class RuleFigureTable {
  readonly #views: CounterViews
  readonly #cells = new Map<string, number>()

  constructor(views: CounterViews) {
    this.#views = views
  }

  count(ruleId: string, figure: RuleFigure): void {
    const cell = this.#cellOf(ruleId, true)
    if (cell < 0) return
    Atomics.add(this.#views.ruleCounts, cell * figuresPerCell + ruleFigures.indexOf(figure), 1n)
  }

  read(ruleId: string): Readonly<Record<RuleFigure, number>> {
    const cell = this.#cellOf(ruleId, false)
    const read = (figure: RuleFigure): number =>
      cell < 0
        ? 0
        : Number(Atomics.load(this.#views.ruleCounts, cell * figuresPerCell + ruleFigures.indexOf(figure)))
    return { refused: read('refused'), exceeded: read('exceeded'), unavailable: read('unavailable') }
  }

  #cellOf(ruleId: string, make: boolean): number {
    const known = this.#cells.get(ruleId)
    if (known !== undefined) return known
    const hash = new Int32Array(4)
    hashName(ruleId, this.#views.head.subarray(headHashKey, headHashKey + 4), hash)
    const cell = this.#probe(hash[0] || 1, hash[1] ?? 0, make)
    if (this.#cells.size >= maxRemembered) this.#cells.clear()
    if (cell >= 0) this.#cells.set(ruleId, cell)
    return cell
  }

  #probe(first: number, second: number, make: boolean): number {
    const { ruleIds } = this.#views
    for (let step = 0; step < ruleCells; step += 1) {
      const cell = (second + step) & (ruleCells - 1)
      const held = make
        ? Atomics.compareExchange(ruleIds, cell * 2, 0, first)
        : Atomics.load(ruleIds, cell * 2)
      if (held === first || (held === 0 && make)) return cell
      if (held === 0) return -1
    }
    return -1
  }
}
