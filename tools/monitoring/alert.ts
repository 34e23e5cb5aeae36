/** What an alert is: a row from which its rule, its runbook and its unit tests are written. */

/** `page`: somebody gets up · `ticket`: within working hours. */
export type Severity = 'page' | 'ticket'

/** Samples of one series, in promtool's notation: `0+60x10` is 0, 60, 120 … */
export type Samples = Readonly<Record<string, string>>

export interface AlertTest {
  /** One sample a minute. */
  readonly samples: Samples
  /** When it must fire, as a Prometheus duration. */
  readonly at: string
  /** Labels that the alert then has, beside its severity. */
  readonly labels: Readonly<Record<string, string>>
}

export interface Alert {
  readonly name: string
  readonly severity: Severity
  readonly expr: string
  /** How long it must hold. */
  readonly for: string
  /** One line; `{{ $labels.x }}` stands for a label. */
  readonly summary: string
  /** What it means for whom. */
  readonly meaning: string
  /** What to look at, in order; text in backticks is a query or a command. */
  readonly look: readonly string[]
  readonly act: readonly string[]
  /** Parts of `expr` that have data whenever the gateway runs, so that a quiet alert is not a blind one. */
  readonly signals: readonly string[]
  readonly fires: AlertTest
  /** Samples that look alike and must not fire. */
  readonly quiet: Samples
}

export interface AlertGroup {
  readonly name: string
  readonly about: string
  readonly alerts: readonly Alert[]
}

/** Name of the page in docs/runbooks/. */
export const runbookUrl = (name: string): string => `https://gatewright.dev/docs/runbooks/${name}`

/** `signal` compared with a bound: the common case. */
export function compare(signal: string, condition: string): Pick<Alert, 'expr' | 'signals'> {
  return { expr: `${signal} ${condition}`, signals: [signal] }
}
