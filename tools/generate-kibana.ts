// Writes deploy/elastic/kibana.ndjson, the saved objects of Kibana, from the tables of tools/kibana: data views,
// searches and dashboards, one JSON object a line. Versions are those of the shape that is written, not of Kibana: it
// brings older ones up to date when they are imported.

import { type Dashboard, dashboards, dataViews, type Search, searches } from './kibana/dashboards.ts'
import { lensPanel, type Reference } from './kibana/lens-panel.ts'
import { writeGenerated } from './write-generated.ts'

const coreMigrationVersion = '8.8.0'
const panelVersion = '8.11.0'
const heights = { metric: 5, line: 10, bar: 10, table: 12 } as const
const listHeight = 14
const width = 48

const indexRef = 'kibanaSavedObjectMeta.searchSourceJSON.index'

function dataViewObject({ id, name, title }: (typeof dataViews)[number]) {
  const attributes = {
    title,
    name,
    timeFieldName: '@timestamp',
    fields: '[]',
    typeMeta: '{}',
    runtimeFieldMap: '{}',
  }
  return {
    id,
    type: 'index-pattern',
    coreMigrationVersion,
    typeMigrationVersion: '7.11.0',
    attributes,
    references: [],
  }
}

function searchObject({ id, title, dataView, query, columns }: Search) {
  const source = { query: { language: 'kuery', query }, filter: [], indexRefName: indexRef }
  const attributes = {
    title,
    description: '',
    columns,
    sort: [['@timestamp', 'desc']],
    kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify(source) },
  }
  const references: Reference[] = [{ id: dataView, name: indexRef, type: 'index-pattern' }]
  return { id, type: 'search', coreMigrationVersion, typeMigrationVersion: '7.9.3', attributes, references }
}

/** Panels from left to right, rows from top to bottom, and the list below them. */
function panelsOf({ rows, dataView, list }: Dashboard) {
  const panels: object[] = []
  const references: Reference[] = []
  let y = 0
  for (const [row, line] of rows.entries()) {
    let x = 0
    const h = Math.max(...line.map(({ kind }) => heights[kind]))
    for (const [at, panel] of line.entries()) {
      const i = `row-${row}-${at}`
      const { references: own, embeddableConfig } = lensPanel(panel, dataView)
      const gridData = { x, y, w: panel.width, h, i }
      panels.push({
        version: panelVersion,
        type: 'lens',
        gridData,
        panelIndex: i,
        embeddableConfig,
        title: panel.title,
      })
      references.push(...own.map((reference) => ({ ...reference, name: `${i}:${reference.name}` })))
      x += panel.width
    }
    y += h
  }
  const gridData = { x: 0, y, w: width, h: listHeight, i: 'list' }
  const shown = { type: 'search', gridData, panelIndex: 'list', embeddableConfig: { enhancements: {} } }
  panels.push({ version: panelVersion, ...shown, panelRefName: 'panel_list' })
  references.push({ id: list, name: 'list:panel_list', type: 'search' })
  return { panels, references }
}

function dashboardObject(dashboard: Dashboard) {
  const { panels, references } = panelsOf(dashboard)
  const attributes = {
    title: dashboard.title,
    description: dashboard.description,
    timeRestore: true,
    timeFrom: 'now-24h',
    timeTo: 'now',
    refreshInterval: { pause: true, value: 60_000 },
    optionsJSON: JSON.stringify({
      useMargins: true,
      syncColors: false,
      syncCursor: true,
      hidePanelTitles: false,
    }),
    panelsJSON: JSON.stringify(panels),
    kibanaSavedObjectMeta: {
      searchSourceJSON: JSON.stringify({ query: { language: 'kuery', query: '' }, filter: [] }),
    },
  }
  const { id } = dashboard
  return {
    id,
    type: 'dashboard',
    coreMigrationVersion,
    typeMigrationVersion: '8.7.0',
    attributes,
    references,
  }
}

const objects = [
  ...dataViews.map(dataViewObject),
  ...searches.map(searchObject),
  ...dashboards.map(dashboardObject),
]
writeGenerated(
  'deploy/elastic/kibana.ndjson',
  `${objects.map((object) => JSON.stringify(object)).join('\n')}\n`,
)
