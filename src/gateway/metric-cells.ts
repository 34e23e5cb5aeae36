/**
 * Cells of metrics, kept where they are counted: each is bound when it is first counted in, so that what never happens
 * has no series, and what has happened once costs an array or a map look-up.
 */

const unbound = -1
/** Sets that a book keeps. */
const maxKept = 4096

/** Cells by place. */
export class PlacedCells {
  readonly #cells: Int32Array
  readonly #bind: (place: number) => number

  constructor(size: number, bind: (place: number) => number) {
    this.#cells = new Int32Array(size).fill(unbound)
    this.#bind = bind
  }

  at(place: number): number {
    const known = this.#cells[place] ?? unbound
    if (known !== unbound) return known
    const cell = this.#bind(place)
    this.#cells[place] = cell
    return cell
  }
}

/** Cells by name: for names of our own, of which there are few. */
export class NamedCells {
  readonly #cells = new Map<string, number>()
  readonly #bind: (name: string) => number

  constructor(bind: (name: string) => number) {
    this.#bind = bind
  }

  of(name: string): number {
    let cell = this.#cells.get(name)
    if (cell === undefined) {
      cell = this.#bind(name)
      this.#cells.set(name, cell)
    }
    return cell
  }
}

export interface CellNames {
  readonly operation: string
  readonly model: string
  readonly provider: string
}

/** Sets of cells by operation, model and provider. Bounded: beyond `maxKept` sets all are made anew. */
export class CellBook<T> {
  readonly #make: (names: CellNames) => T
  readonly #byOperation = new Map<string, Map<string, Map<string, T>>>()
  #kept = 0

  constructor(make: (names: CellNames) => T) {
    this.#make = make
  }

  find(operation: string, model: string, provider: string): T {
    return (
      this.#byOperation.get(operation)?.get(model)?.get(provider) ?? this.#add({ operation, model, provider })
    )
  }

  #add(names: CellNames): T {
    if (this.#kept >= maxKept) {
      this.#byOperation.clear()
      this.#kept = 0
    }
    this.#kept += 1
    const byModel = this.#byOperation.get(names.operation) ?? new Map<string, Map<string, T>>()
    const byProvider = byModel.get(names.model) ?? new Map<string, T>()
    const made = this.#make(names)
    byProvider.set(names.provider, made)
    byModel.set(names.model, byProvider)
    this.#byOperation.set(names.operation, byModel)
    return made
  }
}
