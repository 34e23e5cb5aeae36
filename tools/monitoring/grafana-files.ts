/** Dashboards as Grafana reads them: classic JSON, which every release since 10 takes and newer ones convert. */
import { costAndUsage } from './dashboards/cost-and-usage.ts'
import { modelPerformance } from './dashboards/model-performance.ts'
import { overview } from './dashboards/overview.ts'
import { privacyAndAudit } from './dashboards/privacy-and-audit.ts'
import { runtimeAndSlo } from './dashboards/runtime-and-slo.ts'
import { securityAndGuards } from './dashboards/security-and-guards.ts'
import type { Dashboard, Panel, PanelKind, Section, Variable } from './panel.ts'

export const dashboards: readonly Dashboard[] = Object.freeze([
  overview,
  modelPerformance,
  costAndUsage,
  securityAndGuards,
  privacyAndAudit,
  runtimeAndSlo,
])

const columns = 24
const rowHeight = 1
const heights: Readonly<Record<PanelKind, number>> = {
  stat: 4,
  timeseries: 8,
  table: 8,
  heatmap: 8,
  bargauge: 8,
  'state-timeline': 8,
}
const datasource = { type: 'prometheus', uid: '$datasource' }

interface Place {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

/** Panels from left to right; a line is as high as the highest in it. Returns the places and where the next line is. */
function placesOf(
  panels: readonly Panel[],
  top: number,
): { readonly places: readonly Place[]; readonly bottom: number } {
  const places: Place[] = []
  let [x, y, lineHeight] = [0, top, 0]
  for (const { kind, width: w } of panels) {
    const h = heights[kind]
    if (x + w > columns) [x, y, lineHeight] = [0, y + lineHeight, 0]
    places.push({ x, y, w, h })
    x += w
    lineHeight = Math.max(lineHeight, h)
  }
  return { places, bottom: y + lineHeight }
}

function optionsOf(kind: PanelKind): object {
  switch (kind) {
    case 'stat':
      return {
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        colorMode: 'value',
        graphMode: 'area',
      }
    case 'timeseries':
      return {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      }
    case 'table':
      return { showHeader: true }
    case 'heatmap':
      return { calculate: false, yAxis: { unit: 's' }, tooltip: { show: true, yHistogram: false } }
    case 'bargauge':
      return {
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        orientation: 'horizontal',
        displayMode: 'gradient',
      }
    default:
      return {
        showValue: 'never',
        mergeValues: true,
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      }
  }
}

function thresholdsOf(warn: Panel['warn']): object {
  const steps = [{ color: warn === undefined ? 'blue' : 'green', value: null as number | null }]
  if (warn !== undefined) steps.push({ color: 'orange', value: warn[0] }, { color: 'red', value: warn[1] })
  return { mode: 'absolute', steps }
}

function panelJson(panel: Panel, id: number, gridPos: Place): object {
  const { title, kind, unit, help, queries, warn } = panel
  const custom = kind === 'timeseries' ? { lineWidth: 1, fillOpacity: 10, showPoints: 'never' } : {}
  // A table shows how things stand, a heat map its buckets, all others a course.
  const isInstant = kind === 'table'
  return {
    id,
    type: kind,
    title,
    description: help,
    datasource,
    gridPos,
    fieldConfig: { defaults: { unit, custom, thresholds: thresholdsOf(warn) }, overrides: [] },
    options: optionsOf(kind),
    ...(kind === 'table' ? { transformations: tidyTable } : {}),
    targets: queries.map(({ legend, expr }, at) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + at),
      datasource,
      expr,
      legendFormat: legend,
      format: kind === 'table' || kind === 'heatmap' ? kind : 'time_series',
      instant: isInstant,
      range: !isInstant,
    })),
  }
}

const tidyTable = [
  { id: 'merge', options: {} },
  { id: 'organize', options: { excludeByName: { Time: true } } },
]

function sectionJson(
  { title, panels }: Section,
  first: number,
  top: number,
): { readonly json: readonly object[]; readonly bottom: number } {
  const header = {
    id: first,
    type: 'row',
    title,
    collapsed: false,
    gridPos: { x: 0, y: top, w: columns, h: rowHeight },
    panels: [],
  }
  const { places, bottom } = placesOf(panels, top + rowHeight)
  const json = panels.map((panel, at) =>
    panelJson(panel, first + 1 + at, places[at] ?? { x: 0, y: bottom, w: columns, h: rowHeight }),
  )
  return { json: [header, ...json], bottom }
}

function variableJson({ name, label, of }: Variable): object {
  const query = `label_values(${of}, ${name})`
  return {
    name,
    label,
    type: 'query',
    datasource,
    definition: query,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
  }
}

const nodes: Variable = { name: 'instance', label: 'Node', of: 'gatewright_build_info' }

export function dashboardText({ uid, title, about, variables, sections }: Dashboard): string {
  const panels: object[] = []
  let top = 0
  for (const section of sections) {
    const { json, bottom } = sectionJson(section, panels.length + 1, top)
    panels.push(...json)
    top = bottom
  }
  const choices = [nodes, ...variables].map(variableJson)
  const source = {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    refresh: 1,
    current: {},
  }
  const dashboard = {
    uid,
    title,
    description: about,
    tags: ['gatewright'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    links: [
      {
        title: 'Gatewright',
        type: 'dashboards',
        tags: ['gatewright'],
        asDropdown: true,
        includeVars: true,
        keepTime: true,
      },
    ],
    templating: { list: [source, ...choices] },
    annotations: { list: [] },
    panels,
  }
  return `${JSON.stringify(dashboard, null, 2)}\n`
}
