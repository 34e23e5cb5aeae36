// Saved objects of Kibana, by the shape in which Kibana exports them: no Kibana runs here. Every reference is answered,
// every field is one that documents have, every figure of a picture is a column of its layer.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { eventStreams } from '../src/domain/oversight-event.ts'
import { ecsFields, ownFields } from '../src/events/index.ts'
import { type Column, lensPanel, type Reference } from './kibana/lens-panel.ts'
import { projectRoot } from './pinned-node.mjs'

const fields = { ...ecsFields, ...ownFields }
const numbers = new Set(['float', 'integer', 'long'])
const grouped = new Set(['boolean', 'integer', 'ip', 'keyword', 'long'])

interface SavedObject {
  readonly id: string
  readonly type: string
  readonly coreMigrationVersion: string
  readonly typeMigrationVersion: string
  readonly references: readonly Reference[]
  readonly attributes: {
    readonly title: string
    readonly timeFieldName?: string
    readonly columns?: readonly string[]
    readonly panelsJSON?: string
    readonly optionsJSON?: string
    readonly kibanaSavedObjectMeta?: { readonly searchSourceJSON: string }
  }
}
interface PanelJson {
  readonly type: string
  readonly panelIndex: string
  readonly panelRefName?: string
  readonly gridData: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
    readonly i: string
  }
  readonly embeddableConfig: Partial<ReturnType<typeof lensPanel>['embeddableConfig']>
}

const objects = readFileSync(join(projectRoot, 'deploy/elastic/kibana.ndjson'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as SavedObject)
const keyOf = ({ type, id }: { readonly type: string; readonly id: string }): string => `${type}:${id}`
const of = (type: string): readonly SavedObject[] => objects.filter((object) => object.type === type)

/** Fields of a query in KQL: what stands before a colon. */
function assertQuery(query: string, where: string): void {
  for (const [, field = ''] of query.matchAll(/([\w.@]+)\s*:/g))
    assert.ok(field in fields, `${where}: ${field}`)
}

/** A reference of the object with this name. */
function referenceOf({ id, references }: SavedObject, name: string): Reference {
  const found = references.find((reference) => reference.name === name)
  assert.ok(found, `${id}: no reference ${name}`)
  return found
}

describe('saved objects of Kibana', () => {
  test('are three dashboards with what they need, each once, with versions, and refer to each other alone', () => {
    assert.equal(new Set(objects.map(keyOf)).size, objects.length)
    assert.deepEqual(
      of('dashboard').map(({ id }) => id),
      ['gatewright-security', 'gatewright-audit', 'gatewright-usage'],
    )
    const known = new Set(objects.map(keyOf))
    for (const object of objects) {
      assert.ok(['index-pattern', 'search', 'dashboard'].includes(object.type), object.type)
      for (const version of [object.coreMigrationVersion, object.typeMigrationVersion])
        assert.match(version, /^\d+\.\d+\.\d+$/)
      assert.ok(object.attributes.title)
      for (const reference of object.references)
        assert.ok(known.has(keyOf(reference)), `${object.id} → ${reference.id}`)
      const names = object.references.map(({ name }) => name)
      assert.equal(new Set(names).size, names.length)
    }
  })

  test('look at data streams that the product writes', () => {
    const views = of('index-pattern').map(({ attributes }) => attributes)
    assert.deepEqual(
      views.map(({ title }) => title).toSorted(),
      ['logs-gatewright.*-*', ...eventStreams.map((stream) => `logs-gatewright.${stream}-*`)].toSorted(),
    )
    for (const { timeFieldName = '' } of views) assert.equal(fields[timeFieldName], 'date')
  })

  test('search for fields that documents have', () => {
    for (const object of of('search')) {
      const { columns = [], kibanaSavedObjectMeta } = object.attributes
      assert.ok(columns.length > 0)
      for (const column of columns) assert.ok(column in fields, `${object.id}: ${column}`)
      const source = JSON.parse(kibanaSavedObjectMeta?.searchSourceJSON ?? '')
      assertQuery(source.query.query, object.id)
      assert.equal(referenceOf(object, source.indexRefName).type, 'index-pattern')
    }
  })
})

for (const dashboard of of('dashboard')) {
  const panels = JSON.parse(dashboard.attributes.panelsJSON ?? '') as readonly PanelJson[]
  describe(`the dashboard ${dashboard.id}`, () => {
    test('has panels with indexes of their own, inside 48 columns and none over another', () => {
      assert.equal(new Set(panels.map(({ panelIndex }) => panelIndex)).size, panels.length)
      const taken = new Set<string>()
      for (const { panelIndex, gridData } of panels) {
        assert.equal(gridData.i, panelIndex)
        assert.ok(gridData.x >= 0 && gridData.x + gridData.w <= 48, panelIndex)
        for (let x = gridData.x; x < gridData.x + gridData.w; x += 1)
          for (let y = gridData.y; y < gridData.y + gridData.h; y += 1) {
            assert.ok(!taken.has(`${x} ${y}`), `${panelIndex} lies over another panel`)
            taken.add(`${x} ${y}`)
          }
      }
    })

    test('finds what each panel shows: its data view, or the search that it is', () => {
      const used = new Set<string>()
      for (const { type, panelIndex, panelRefName, embeddableConfig } of panels) {
        const names =
          type === 'lens'
            ? embeddableConfig.attributes?.references.map(({ name }) => name)
            : [panelRefName ?? '']
        assert.equal(names?.length, 1)
        for (const name of names ?? []) {
          const { type: kind } = referenceOf(dashboard, `${panelIndex}:${name}`)
          assert.equal(kind, type === 'lens' ? 'index-pattern' : 'search')
          used.add(`${panelIndex}:${name}`)
        }
      }
      assert.deepEqual(dashboard.references.map(({ name }) => name).toSorted(), [...used].toSorted())
    })

    test('reckons with fields that documents have, in columns that its pictures show', () => {
      for (const { type, panelIndex, embeddableConfig } of panels) {
        if (type !== 'lens') continue
        const state = embeddableConfig.attributes?.state
        assert.ok(state)
        assertQuery(state.query.query, panelIndex)
        const [[layerId, layer] = ['', undefined], ...others] = Object.entries(
          state.datasourceStates.formBased.layers,
        )
        assert.ok(layer && others.length === 0)
        assert.equal(
          embeddableConfig.attributes?.references[0]?.name,
          `indexpattern-datasource-layer-${layerId}`,
        )
        assert.deepEqual(layer.columnOrder.toSorted(), Object.keys(layer.columns).toSorted())
        for (const [id, column] of Object.entries(layer.columns)) assertColumn(column, `${panelIndex} ${id}`)
        const shown = JSON.stringify(state.visualization).match(/(?:group|measure)-\d|"time"/g) ?? []
        assert.deepEqual(
          [...new Set(shown.map((name) => name.replaceAll('"', '')))].toSorted(),
          layer.columnOrder.toSorted(),
        )
      }
    })
  })
}

function assertColumn({ operationType, sourceField, isBucketed }: Column, where: string): void {
  if (operationType === 'count') return assert.equal(sourceField, '___records___')
  const type = fields[sourceField]
  assert.ok(type, `${where}: ${sourceField}`)
  assert.equal(isBucketed, operationType === 'terms' || operationType === 'date_histogram', where)
  if (operationType === 'date_histogram') assert.equal(type, 'date')
  else if (operationType === 'terms' || operationType === 'unique_count') assert.ok(grouped.has(type), where)
  else assert.ok(numbers.has(type), where)
}

test('a panel on a field that no document has, or a sum of words, is no panel', () => {
  const panel = { title: 'Odd', kind: 'metric', width: 12 } as const
  const sum = (field: string) =>
    lensPanel({ ...panel, measures: [{ label: 'Sum', is: 'sum', field }] }, 'view')
  assert.throws(() => sum('no.such.field'), TypeError)
  assert.throws(() => sum('user.id'), TypeError)
  assert.doesNotThrow(() => sum('event.duration'))
})
