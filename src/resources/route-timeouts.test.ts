import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import { ConfigError, loadConfig, parseResources } from '../config/index.ts'
import { createDocumentManager } from './apply-document.ts'

const document = `deployments:
  - slug: main
    provider: openai
    timeouts: { connectMs: 700 }
models:
  - name: slow
    description: takes its time
    targets: [{ deployment: main }]
    timeouts: { firstByteMs: 60000 }
  - name: plain
    targets: [{ deployment: main }]
`

test('timeouts of deployments and routes hold what was written: the rest is not filled with defaults', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-config-'))
  const file = join(directory, 'gatewright.yaml')
  writeFileSync(file, `timeouts: { idleMs: 5000 }\n${document}`)
  const { config } = loadConfig({ file, environment: {}, directory })
  rmSync(directory, { recursive: true })
  assert.deepEqual(config.deployments?.[0]?.timeouts, { connectMs: 700 })
  assert.deepEqual(config.models?.[0]?.timeouts, { firstByteMs: 60_000 })
  assert.equal(config.models?.[1]?.timeouts, undefined)
  assert.deepEqual([config.timeouts.idleMs, config.timeouts.connectMs], [5000, 10_000])
})

test('an unknown timeout, or one beyond its bounds, is refused with its place', () => {
  for (const timeouts of ['{ firstByte: 5 }', '{ idleMs: 1 }', '{ totalMs: 86400001 }']) {
    assert.throws(
      () => parseResources(document.replace('{ firstByteMs: 60000 }', timeouts), 'document'),
      (error) =>
        error instanceof ConfigError && error.problems[0]?.path.startsWith('models[0].timeouts') === true,
    )
  }
})

test('timeouts of a route are applied, exported, and the export applies without a difference', async () => {
  const { store, close } = await openSqliteStore({ path: ':memory:' })
  const manager = createDocumentManager({
    store,
    clock: { now: () => 1, monotonic: () => 1 },
    fileManaged: () => false,
  })
  await manager.apply(document)
  const exported = await manager.export()
  assert.deepEqual(await manager.diff(exported), [])
  const changes = await manager.diff(exported.replace('60000', '61000'))
  assert.deepEqual(
    changes.map(({ action, name, fields }) => [action, name, fields]),
    [['update', 'slow', ['timeouts']]],
  )
  await close()
})
