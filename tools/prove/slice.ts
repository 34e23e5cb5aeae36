/** What a slice of `npm run prove` is: named sections, each of which measures some rows of claim, target, measured. */

export interface ProofRow {
  readonly claim: string
  /** As printed, for example `≤ 200`; empty: reported only. */
  readonly target: string
  readonly measured: number | string
  readonly unit: string
  /** Null: nothing is asked of it. */
  readonly ok: boolean | null
}

export interface ProofOptions {
  readonly soakMinutes: number
  /** How often a product is killed. */
  readonly kills: number
  /** How long a receiver of events is away. */
  readonly outageMinutes: number
  /** Short measurements, to see that everything runs; the figures do not count. */
  readonly quick: boolean
  /** One line for whoever waits. */
  readonly say: (text: string) => void
}

export interface ProofSection {
  readonly name: string
  /** One sentence: what is done. */
  readonly does: string
  run(options: ProofOptions): Promise<readonly ProofRow[]>
}

/** Sections of one slice, in the order in which they run. */
export interface ProofSlice {
  readonly name: string
  readonly title: string
  readonly sections: readonly ProofSection[]
}

/** A row with a lower bound. */
export function atLeast(
  claim: string,
  measured: number,
  bound: { readonly limit: number; readonly unit: string },
): ProofRow {
  return { claim, target: `≥ ${bound.limit}`, measured, unit: bound.unit, ok: measured >= bound.limit }
}

/** A row with an upper bound. */
export function atMost(
  claim: string,
  measured: number,
  bound: { readonly limit: number; readonly unit: string },
): ProofRow {
  const shown = Number.isFinite(measured) ? Number(measured.toPrecision(3)) : measured
  return { claim, target: `≤ ${bound.limit}`, measured: shown, unit: bound.unit, ok: measured <= bound.limit }
}
