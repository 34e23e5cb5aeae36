/** What a meter counts of an exchange, and when. */
import type { LimitMeter, LimitTerms } from '../domain/limits.ts'
import type { LimitActual } from './limit-request.ts'

/** Of what a meter counts: at once and for good, put aside and settled, or held until the end. */
export type PartKind = 'counted' | 'reserved' | 'concurrent'

const kinds: Readonly<Record<LimitMeter, PartKind>> = {
  requests: 'counted',
  'input-tokens': 'reserved',
  'output-tokens': 'reserved',
  'total-tokens': 'reserved',
  cost: 'reserved',
  'concurrent-requests': 'concurrent',
  'concurrent-streams': 'concurrent',
}

export function partKindOf(meter: LimitMeter): PartKind {
  return kinds[meter]
}

/** Whole units of a meter. */
export function unitsOf(meter: LimitMeter, figures: LimitActual): number {
  switch (meter) {
    case 'input-tokens':
      return wholeUnits(figures.inputTokens)
    case 'output-tokens':
      return wholeUnits(figures.outputTokens)
    case 'total-tokens':
      return wholeUnits(figures.inputTokens) + wholeUnits(figures.outputTokens)
    case 'cost':
      return wholeUnits(figures.costMicroUsd)
    default:
      return 1
  }
}

function wholeUnits(figure: number): number {
  return figure > 0 ? Math.ceil(figure) : 0
}

const outputMeters: ReadonlySet<LimitMeter> = new Set(['output-tokens', 'total-tokens', 'cost'])

/** A budget that is never to be exceeded, and that counts what answers have. */
export function isHardOnOutput({ mode, window, meter }: LimitTerms): boolean {
  return mode === 'enforce' && window?.kind === 'calendar' && outputMeters.has(meter)
}
