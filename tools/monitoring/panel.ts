/** How dashboards are written down: sections of panels in a row, each with its queries. Places and ids are reckoned. */

export type PanelKind = 'timeseries' | 'stat' | 'table' | 'heatmap' | 'bargauge' | 'state-timeline'

/** Units as Grafana names them. */
export type Unit =
  | 'short'
  | 'reqps'
  | 's'
  | 'percentunit'
  | 'bytes'
  | 'currencyUSD'
  | 'none'
  | 'dateTimeFromNow'
  | 'locale'

export interface Query {
  /** What the legend says; `{{model}}` stands for a label. */
  readonly legend: string
  readonly expr: string
}

export interface Panel {
  readonly title: string
  readonly kind: PanelKind
  readonly unit: Unit
  /** Of 24 columns. */
  readonly width: 4 | 6 | 8 | 12 | 24
  readonly help: string
  readonly queries: readonly Query[]
  /** From this value on orange, then red; absent: no colours. */
  readonly warn?: readonly [orange: number, red: number]
}

export interface Section {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** A choice at the top: values of a label. */
export interface Variable {
  readonly name: string
  readonly label: string
  /** Metric that carries the label of this name. */
  readonly of: string
}

export interface Dashboard {
  /** Name of its file. */
  readonly uid: string
  readonly title: string
  readonly about: string
  readonly variables: readonly Variable[]
  readonly sections: readonly Section[]
}

interface PanelText {
  readonly help: string
  readonly unit?: Unit
  readonly width?: Panel['width']
  readonly warn?: Panel['warn']
}

type Queries = Readonly<Record<string, string>>

const panelOf =
  (kind: PanelKind, usual: Panel['width']) =>
  (title: string, { help, unit = 'short', width = usual, warn }: PanelText, queries: Queries): Panel => ({
    title,
    kind,
    unit,
    width,
    help,
    queries: Object.entries(queries).map(([legend, expr]) => ({ legend, expr })),
    ...(warn === undefined ? {} : { warn }),
  })

export const graph = panelOf('timeseries', 12)
export const stat = panelOf('stat', 4)
export const table = panelOf('table', 12)
export const heatmap = panelOf('heatmap', 12)
export const bars = panelOf('bargauge', 8)
export const states = panelOf('state-timeline', 24)

/** The nodes that are chosen at the top; every dashboard has that choice. */
const chosen = 'instance=~"$instance"'

/** A selector of a metric on the chosen nodes. */
export const of = (metric: string, match = ''): string =>
  `${metric}{${match === '' ? '' : `${match},`}${chosen}}`

const by = (labels: string): string => (labels === '' ? '' : ` by (${labels})`)

export const rate = (metric: string, labels = '', match = ''): string =>
  `sum${by(labels)} (rate(${of(metric, match)}[$__rate_interval]))`

/** Over the time that the dashboard shows. */
export const total = (metric: string, labels = '', match = ''): string =>
  `sum${by(labels)} (increase(${of(metric, match)}[$__range]))`

export const sum = (metric: string, labels = '', match = ''): string =>
  `sum${by(labels)} (${of(metric, match)})`

export const quantile = (share: number, metric: string, { labels = '', match = '' } = {}): string =>
  `histogram_quantile(${share}, ${rate(`${metric}_bucket`, labels === '' ? 'le' : `le, ${labels}`, match)})`

/** Buckets by time, for a heat map. */
export const buckets = (metric: string, match = ''): string =>
  `sum by (le) (increase(${of(`${metric}_bucket`, match)}[$__rate_interval]))`
