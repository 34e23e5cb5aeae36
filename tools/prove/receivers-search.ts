/** What a real OpenSearch holds of what was sent to it: ids, fields that it could not take, figures of the dashboards. */
import type { OpenSearch } from '../../test/fixtures/opensearch/opensearch-server.ts'
import { dashboards, dataViews } from '../kibana/dashboards.ts'
import { lensPanel } from '../kibana/lens-panel.ts'

const pattern = 'logs-gatewright.*-*'
const pageSize = 5000

interface Hits {
  readonly hits: {
    readonly total: { readonly value: number }
    readonly hits: readonly { readonly _id: string; readonly sort: readonly unknown[] }[]
  }
  readonly aggregations?: Readonly<
    Record<string, { readonly value?: number | null; readonly buckets?: readonly object[] }>
  >
}

async function search({ ask }: OpenSearch, where: string, query: object): Promise<Hits> {
  const { status, body } = await ask('POST', `/${where}/_search`, { track_total_hits: true, ...query })
  if (status !== 200) throw new Error(`a search was answered with ${status}`)
  return body as Hits
}

/** Makes what was written visible to searches. */
export async function refresh({ ask }: OpenSearch): Promise<void> {
  await ask('POST', `/${pattern}/_refresh`)
}

/** Ids of all documents of data streams whose names match. */
export async function idsIn(server: OpenSearch, where: string): Promise<Set<string>> {
  const ids = new Set<string>()
  let after: readonly unknown[] | null = null
  for (;;) {
    const from: object = after === null ? {} : { search_after: after }
    const sort = [{ 'event.id': 'asc' }]
    const { hits }: Hits = await search(server, where, { size: pageSize, sort, _source: false, ...from })
    for (const { _id } of hits.hits) ids.add(_id)
    after = hits.hits.at(-1)?.sort ?? null
    if (after === null) return ids
  }
}

/** Documents with a field whose value its type could not take. */
export async function countIgnored(server: OpenSearch): Promise<number> {
  const { hits } = await search(server, pattern, { size: 0, query: { exists: { field: '_ignored' } } })
  return hits.total.value
}

/** How each kind of column is asked of a search engine. */
const aggregations: Readonly<Record<string, (field: string) => object>> = Object.freeze({
  terms: (field: string) => ({ terms: { field } }),
  date_histogram: (field: string) => ({ date_histogram: { field, fixed_interval: '1m' } }),
  sum: (field: string) => ({ sum: { field } }),
  average: (field: string) => ({ avg: { field } }),
  max: (field: string) => ({ max: { field } }),
  unique_count: (field: string) => ({ cardinality: { field } }),
  percentile: (field: string) => ({ avg: { field } }),
})

export interface ShownFigures {
  readonly asked: number
  /** Panel and column of those that are empty. */
  readonly empty: readonly string[]
}

/** Asks for the figures of each column of each panel of each dashboard. */
export async function askDashboards(server: OpenSearch): Promise<ShownFigures> {
  const empty: string[] = []
  let asked = 0
  for (const { id, dataView, rows } of dashboards) {
    const where = dataViews.find((view) => view.id === dataView)?.title ?? ''
    for (const panel of rows.flat()) {
      const layers = lensPanel(panel, dataView).embeddableConfig.attributes.state.datasourceStates.formBased
        .layers
      for (const { columns } of Object.values(layers))
        for (const [name, { operationType, sourceField }] of Object.entries(columns)) {
          const ask = aggregations[operationType]
          if (ask === undefined) continue
          asked += 1
          const { aggregations: found } = await search(server, where, {
            size: 0,
            aggs: { it: ask(sourceField) },
          })
          const it = found?.['it']
          const hasValue = it?.buckets === undefined ? typeof it?.value === 'number' : it.buckets.length > 0
          if (!hasValue) empty.push(`${id} / ${panel.title} / ${name}`)
        }
    }
  }
  return { asked, empty }
}
