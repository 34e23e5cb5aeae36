// Templates and policies of deploy/elastic parse and name each other rightly. Saved objects: kibana.test.ts.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { projectRoot } from './pinned-node.mjs'

const directory = join(projectRoot, 'deploy/elastic')
const read = (name: string): string => readFileSync(join(directory, name), 'utf8')

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
