/**
 * Port: counters that several nodes, or several starts of one node, share. Durable in SQL (money), fast in Valkey
 * (rates, concurrency). An adapter is opened for one node: leases and holds taken through it belong to that node.
 * Every call is atomic over all its entries, in server time, and a refusal changes nothing.
 *
 * A node takes *leases*: units debited here when leased, spent in the node's memory without a round trip, and given
 * back when they are not used. Bounds (N nodes, leases of at most L): a window w admits at most burst + rate·w + N·L;
 * the long-run rate is never exceeded; a node that dies loses at most its leases.
 *
 * Errors: a rejected promise means that nothing is known; the caller goes by the rule's `onStoreLoss`.
 */

/** What a counter is. The same key always comes with the same kind; amount and window may be edited. */
export type CounterTerms =
  /** GCRA: `amount` per `windowMs`, at most `burst` at once. */
  | {
      readonly kind: 'rolling'
      readonly amount: number
      readonly windowMs: number
      readonly burst: number
    }
  /**
   * At most `amount` from `startsAt` until `endsAt` (Unix milliseconds). Another `startsAt` is a new period; the one
   * before can still be settled for a day.
   */
  | {
      readonly kind: 'calendar'
      readonly amount: number
      readonly startsAt: number
      readonly endsAt: number
    }
  /** At most `amount` held at once, over all nodes; a node's holds are let go when it stops renewing. */
  | { readonly kind: 'concurrency'; readonly amount: number }

export interface CounterKey {
  /**
   * Unique name, at most 500 characters; `{…}` in it is a hash tag: entries of one take or adjust share it, so that
   * they live on one cluster slot.
   */
  readonly key: string
  readonly terms: CounterTerms
}
export interface CounterEntry extends CounterKey {
  /** Whole units. */
  readonly units: number
}

export interface CounterStanding {
  /** Units that could be taken now. */
  readonly remaining: number
  /** Milliseconds until all units are there again; 0: they are, or (concurrency) nobody knows. */
  readonly resetMs: number
}

export type TakeOutcome =
  | { readonly taken: true; readonly standings: readonly CounterStanding[] }
  | {
      readonly taken: false
      /** Index of the entry that refused; the one with the longest wait. */
      readonly refusedBy: number
      /** Milliseconds until it may be tried again; null: never, `units` is more than the counter can hold. */
      readonly retryAfterMs: number | null
      readonly standings: readonly CounterStanding[]
    }

export interface LeaseRequest extends CounterKey {
  /** Most units wanted; as many as there are, but at least `least`, or none, are granted. */
  readonly wanted: number
  readonly least: number
}
export interface LeaseGrant {
  /** 0: refused. */
  readonly units: number
  /** Unspent units must be given back within this time, or count as spent. Milliseconds from now; `renew` extends it. */
  readonly ttlMs: number
  /** Nodes that live and share this counter, this one among them: what lease sizes are reckoned from. */
  readonly nodes: number
  readonly standing: CounterStanding
  /** When units were refused: milliseconds until it may be tried again; null: never, or not within this period. */
  readonly retryAfterMs: number | null
}

export interface LeasePart extends CounterKey {
  readonly spent: number
  readonly returned: number
}

export interface CentralCounters {
  /** A report that is sent twice under one name counts once, also when the answer to the first was lost. */
  readonly takesReportsOnce?: true
  /** Exact mode: check all entries and debit all, or none. A unit of a concurrency counter is held by this node. */
  take(entries: readonly CounterEntry[]): Promise<TakeOutcome>
  /**
   * Correct after the fact: positive units are debited (held) without a check, negative ones are given back.
   * @param report as in `settle`
   */
  adjust(entries: readonly CounterEntry[], report?: string): Promise<void>
  /** Each request stands alone here: one that is refused does not refuse the others. */
  lease(requests: readonly LeaseRequest[]): Promise<readonly LeaseGrant[]>
  /**
   * Settle leases: of the units leased, `spent` were used (may be more than was leased: the rest is debited), and
   * `returned` are free again (never more than is leased). A lease may be settled in parts. Of a concurrency
   * counter both are let go.
   * @param report names what is told, the same for each try: durable counters take the last report of a node once,
   * however often it is sent
   */
  settle(parts: readonly LeasePart[], report?: string): Promise<void>
  /**
   * The node lives: its leases and holds stay. To be called at least every `ttlMs / 3`. Resolves with the number of
   * nodes that renew, this one among them.
   */
  renew(): Promise<number>
  /** Everything the node still holds counts as spent (rates, money) or is let go (concurrency). */
  forget(): Promise<void>
  read(keys: readonly CounterKey[]): Promise<readonly CounterStanding[]>
  /** Ends the connection; leases and holds end when they are not renewed. */
  close(): Promise<void>
}
