// What deploy/elastic ships names only what the product writes, and its parts name each other rightly.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ecsFields, ownFields } from '../src/events/index.ts'
import { projectRoot } from './pinned-node.mjs'

const directory = join(projectRoot, 'deploy/elastic')
const read = (name: string): string => readFileSync(join(directory, name), 'utf8')
const fields = new Set(Object.keys({ ...ecsFields, ...ownFields }))

test('every JSON file parses', () => {
  const names = readdirSync(directory).filter((name) => name.endsWith('.json'))
  assert.equal(names.length, 5)
  for (const name of names) assert.equal(typeof JSON.parse(read(name)), 'object', name)
})

test('the index template names the component template and the policy by the names of the guide', () => {
  const template = JSON.parse(read('index-template.json'))
  const guide = readFileSync(join(projectRoot, 'docs/guides/siem.md'), 'utf8')
  assert.deepEqual(template.composed_of, ['gatewright'])
  assert.ok(guide.includes(`/_component_template/${template.composed_of[0]}`))
  assert.ok(guide.includes(`/_ilm/policy/${template.template.settings.index.lifecycle.name}`))
  const ism = JSON.parse(read('ism-policy.json'))
  assert.deepEqual(ism.policy.ism_template[0].index_patterns, template.index_patterns)
})

test('saved objects of Kibana refer to each other and to fields that are written', () => {
  const objects = read('kibana.ndjson')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const ids = new Set(objects.map(({ id, type }) => `${type}:${id}`))
  for (const { id, references, attributes } of objects) {
    for (const { id: to, type } of references) assert.ok(ids.has(`${type}:${to}`), `${id} → ${to}`)
    for (const column of attributes.columns ?? []) assert.ok(fields.has(column), `${id}: ${column}`)
    const source = JSON.parse(attributes.kibanaSavedObjectMeta?.searchSourceJSON ?? '{}')
    const field = /^(\S+) :/.exec(source.query?.query ?? '')?.[1]
    if (source.query !== undefined) assert.ok(fields.has(field ?? ''), `${id}: ${field}`)
  }
})
