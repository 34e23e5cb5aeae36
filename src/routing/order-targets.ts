/**
 * The order in which the targets of a route are tried: by priority, within one priority as the strategy has it. What
 * is out of use is left out. Every order is a permutation: whoever is not first is the fallback.
 */
import type { RouteStrategy } from '../domain/routing.ts'
import { fractionOf, hashText } from './mix.ts'
import type { TargetHealth } from './target-health.ts'

/** A target, as far as choosing goes. */
export interface Candidate {
  readonly priority: number
  readonly weight: number
  readonly health: TargetHealth
  /** Price of a million tokens in and out together; null: not known. */
  readonly price: number | null
  /** Stable number of the target, the same in every worker. */
  readonly place: number
  /** The target to which the route sends a share. */
  readonly isCanary: boolean
}

export interface Ordering {
  readonly strategy: RouteStrategy
  /** Share of the canary, 0 to 100; null: the route has none. */
  readonly canaryPercent: number | null
  /** Hash of the conversation that is to stay where it was; null: none. */
  readonly conversation: number | null
  readonly streamed: boolean
  /** Monotone milliseconds. */
  readonly monotonic: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

interface Ranked<T> {
  readonly target: T
  /** −1 the chosen canary, 1 the canary when it was not chosen, else 0. */
  readonly tier: number
  /** Higher goes first. */
  readonly rank: number
  /** Decides among equals. */
  readonly draw: number
}

const canarySalt = hashText('canary')

export function orderTargets<T extends Candidate>(targets: readonly T[], ordering: Ordering): T[] {
  const canaryTier =
    ordering.canaryPercent === null ? 0 : isCanaryDrawn(ordering, ordering.canaryPercent) ? -1 : 1
  const ranked: Ranked<T>[] = targets.map((target) => {
    const draw = drawnRank(target, ordering.random)
    return { target, draw, rank: rankOf(target, draw, ordering), tier: target.isCanary ? canaryTier : 0 }
  })
  ranked.sort(compare)
  if (ordering.strategy === 'latency' && ordering.conversation === null) preferQuicker(ranked, ordering)
  return ranked.map(({ target }) => target)
}

function compare(a: Ranked<Candidate>, b: Ranked<Candidate>): number {
  return (
    a.tier - b.tier ||
    a.target.priority - b.target.priority ||
    descending(a.rank, b.rank) ||
    descending(a.draw, b.draw)
  )
}

/** Also of infinities, whose difference is no number. */
function descending(a: number, b: number): number {
  if (a === b) return 0
  return a > b ? -1 : 1
}

/** A conversation stays on its side of the canary. */
function isCanaryDrawn({ conversation, random }: Ordering, percent: number): boolean {
  const drawn = conversation === null ? random() : fractionOf(conversation, canarySalt)
  return drawn * 100 < percent
}

/** Efraimidis–Spirakis: the largest u^(1/w) first draws in proportion to the weights; weight 0 is last. */
function drawnRank({ weight }: Candidate, random: () => number): number {
  return weight === 0 ? -random() : random() ** (1 / weight)
}

function rankOf(target: Candidate, draw: number, { strategy, conversation }: Ordering): number {
  if (conversation !== null) return rendezvousRank(target, conversation)
  if (target.weight === 0) return Number.NEGATIVE_INFINITY
  switch (strategy) {
    case 'weighted':
    case 'latency':
      return draw
    case 'least-busy':
      return -(target.health.inFlight + 1) / target.weight
    case 'cost-first':
      return target.price === null ? -Number.MAX_VALUE : -target.price
  }
}

/** Weighted rendezvous hashing: when a target goes, only its own conversations move. */
function rendezvousRank({ weight, place }: Candidate, conversation: number): number {
  return weight === 0 ? Number.NEGATIVE_INFINITY : weight / -Math.log(fractionOf(conversation, place))
}

/** Power of two choices: of the first two drawn the one with less load goes first. */
function preferQuicker(ranked: Ranked<Candidate>[], { streamed, monotonic }: Ordering): void {
  const at = ranked.findIndex(({ tier }) => tier >= 0)
  const [first, second] = [ranked[at], ranked[at + 1]]
  if (first === undefined || second === undefined || first.tier !== second.tier) return
  if (first.target.priority !== second.target.priority || second.target.weight === 0) return
  const load = ({ target: { health } }: Ranked<Candidate>): number =>
    health.latency(streamed).load(health.inFlight, monotonic)
  if (load(second) < load(first)) {
    ranked[at] = second
    ranked[at + 1] = first
  }
}
