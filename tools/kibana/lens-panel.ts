/**
 * A panel of a Kibana dashboard from a row of a table: what it counts, by which fields, as which kind of picture. The
 * shape is that of Lens panels kept by value in a dashboard, as Kibana 8.11 and later export them: columns in the layer
 * of a data source, a visualization that names them, references by `indexpattern-datasource-layer-<layer>`.
 */
import { type EcsType, ecsFields, ownFields } from '../../src/events/index.ts'

/** What a figure is; `field` is one of the mapping, and a number but for `unique_count`. */
export type Measure =
  | { readonly label: string; readonly is: 'count' }
  | {
      readonly label: string
      readonly is: 'sum' | 'average' | 'max' | 'unique_count'
      readonly field: string
    }
  | { readonly label: string; readonly is: 'percentile'; readonly field: string; readonly percentile: number }

export interface Panel {
  readonly title: string
  /** `line` and `bar` are over time, `table` has a row for each group. */
  readonly kind: 'metric' | 'line' | 'bar' | 'table'
  readonly measures: readonly [Measure, ...Measure[]]
  /** Fields whose most frequent values divide it: at most one in a picture over time, none in a metric. */
  readonly by?: readonly string[]
  /** KQL; absent: everything of the data view. */
  readonly query?: string
  /** Of 48 columns. */
  readonly width: number
}

export interface Reference {
  readonly id: string
  readonly name: string
  readonly type: string
}

export interface Column {
  readonly label: string
  readonly dataType: string
  readonly operationType: string
  readonly sourceField: string
  readonly isBucketed: boolean
  readonly scale: string
  readonly customLabel?: boolean
  readonly params?: object
}

const records = '___records___'
const timeField = '@timestamp'
const groupsShown = { table: 20, line: 8, bar: 8, metric: 0 } as const

const dataTypes: Readonly<Record<EcsType, string>> = Object.freeze({
  boolean: 'boolean',
  constant_keyword: 'string',
  date: 'date',
  float: 'number',
  integer: 'number',
  ip: 'ip',
  keyword: 'string',
  long: 'number',
  match_only_text: 'string',
})

/** @throws TypeError on a field that no document has */
function dataTypeOf(field: string): string {
  const type = ecsFields[field] ?? ownFields[field]
  if (type === undefined) throw new TypeError(`${field} is in no document`)
  return dataTypes[type]
}

function measureColumn(measure: Measure): Column {
  const own = {
    label: measure.label,
    customLabel: true,
    isBucketed: false,
    scale: 'ratio',
    dataType: 'number',
  }
  if (measure.is === 'count') return { ...own, operationType: 'count', sourceField: records }
  const { field, is } = measure
  if (is !== 'unique_count' && dataTypeOf(field) !== 'number') throw new TypeError(`${field} is no number`)
  const params = is === 'percentile' ? { percentile: measure.percentile } : { emptyAsNull: true }
  return { ...own, operationType: is, sourceField: field, params }
}

function groupColumn(field: string, size: number): Column {
  return {
    label: field,
    dataType: dataTypeOf(field),
    operationType: 'terms',
    sourceField: field,
    isBucketed: true,
    scale: 'ordinal',
    params: {
      size,
      orderBy: { type: 'column', columnId: 'measure-0' },
      orderDirection: 'desc',
      otherBucket: false,
      missingBucket: false,
    },
  }
}

const timeColumn: Column = Object.freeze({
  label: timeField,
  dataType: 'date',
  operationType: 'date_histogram',
  sourceField: timeField,
  isBucketed: true,
  scale: 'interval',
  params: { interval: 'auto', includeEmptyRows: true, dropPartials: false },
})

/** Groups before figures: Lens reads the order of columns as the order of buckets. */
function columnsOf({ kind, measures, by = [] }: Panel): Readonly<Record<string, Column>> {
  const groups = by.map((field, at): [string, Column] => [
    `group-${at}`,
    groupColumn(field, groupsShown[kind]),
  ])
  const times: [string, Column][] = kind === 'line' || kind === 'bar' ? [['time', timeColumn]] : []
  const figures = measures.map((measure, at): [string, Column] => [`measure-${at}`, measureColumn(measure)])
  return Object.fromEntries([...groups, ...times, ...figures])
}

const layerId = 'figures'

function visualizationOf({ kind, measures, by = [] }: Panel) {
  const layer = { layerId, layerType: 'data' }
  const accessors = measures.map((_, at) => `measure-${at}`)
  if (kind === 'metric') return { type: 'lnsMetric', state: { ...layer, metricAccessor: 'measure-0' } }
  if (kind === 'table') {
    const columns = [...by.map((_, at) => `group-${at}`), ...accessors].map((columnId) => ({ columnId }))
    return { type: 'lnsDatatable', state: { ...layer, columns } }
  }
  const seriesType = kind === 'line' ? 'line' : 'bar_stacked'
  const split = by.length === 0 ? {} : { splitAccessor: 'group-0' }
  return {
    type: 'lnsXY',
    state: {
      legend: { isVisible: true, position: 'bottom' },
      valueLabels: 'hide',
      fittingFunction: 'None',
      preferredSeriesType: seriesType,
      layers: [{ ...layer, seriesType, xAccessor: 'time', accessors, ...split }],
    },
  }
}

/** `embeddableConfig` of the panel, and the references that the dashboard holds for it under `<panel>:`. */
export function lensPanel(panel: Panel, dataView: string) {
  const columns = columnsOf(panel)
  const { type, state } = visualizationOf(panel)
  const references: readonly Reference[] = [
    { id: dataView, name: `indexpattern-datasource-layer-${layerId}`, type: 'index-pattern' },
  ]
  const layer = { columns, columnOrder: Object.keys(columns), incompleteColumns: {} }
  const attributes = {
    title: panel.title,
    description: '',
    visualizationType: type,
    type: 'lens',
    references,
    state: {
      visualization: state,
      query: { query: panel.query ?? '', language: 'kuery' },
      filters: [],
      datasourceStates: { formBased: { layers: { [layerId]: layer } }, textBased: { layers: {} } },
      internalReferences: [],
      adHocDataViews: {},
    },
  }
  return { references, embeddableConfig: { attributes, hidePanelTitles: false, enhancements: {} } }
}
