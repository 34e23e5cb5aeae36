import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type Config, ConfigError, type LoadedConfig } from '../config/index.ts'
import { defaultConfig } from '../config/load.ts'
import type { LogEntry } from '../supervisor/log.ts'
import { createReloader, type InForce, type ReloaderParts } from './reloader.ts'

function configOf(jsonDepth: number): LoadedConfig {
  const config = defaultConfig()
  config.bounds.jsonDepth = jsonDepth
  return { config, file: '/gatewright.yaml', lineOf: () => 0 }
}

const refusal = new ConfigError([{ file: '/gatewright.yaml', line: 3, path: 'models', reason: 'is wrong' }])

/** A reloader whose steps are told; `jsonDepth` tells configurations apart. */
function rig(own: Partial<ReloaderParts> = {}) {
  const inForce: InForce = { loaded: configOf(1), reload: { at: 0, isRefused: false } }
  const steps: string[] = []
  const logged: LogEntry[] = []
  const settled: Config[] = []
  const depth = ({ config }: LoadedConfig): number => config.bounds.jsonDepth
  const reloader = createReloader({
    inForce,
    load: async () => configOf(2),
    async apply(loaded) {
      steps.push(`apply ${depth(loaded)} while ${depth(inForce.loaded)}`)
    },
    begins: async () => undefined,
    ended: async () => undefined,
    async publish() {
      steps.push(`publish ${depth(inForce.loaded)}`)
    },
    settled: (config) => settled.push(config),
    log: (entry) => logged.push(entry),
    ...own,
  })
  return { reloader, steps, logged, settled, depth: () => depth(inForce.loaded) }
}

test('a configuration is in force only once the store has taken it, and is told once it is published', async () => {
  const { reloader, steps, settled, depth } = rig()
  await reloader.reload()
  assert.deepEqual(steps, ['apply 2 while 1', 'publish 2'])
  assert.deepEqual([depth(), settled.map((config) => config.bounds.jsonDepth)], [2, [2]])
})

test('reloads run one after the other: one that fails late undoes none that was good', async () => {
  const sources = [
    async () => configOf(2),
    async () => {
      // The failing one begins first of all and ends last.
      await turn()
      await turn()
      throw refusal
    },
    async () => configOf(3),
  ]
  const { reloader, steps, logged, depth } = rig({
    load: () => sources.shift()?.() ?? Promise.reject(refusal),
  })
  await Promise.all([reloader.reload(), reloader.reload(), reloader.reload()])
  assert.deepEqual(steps, ['apply 2 while 1', 'publish 2', 'apply 3 while 2', 'publish 3'])
  assert.equal(depth(), 3)
  assert.deepEqual(
    logged.map(({ code }) => code),
    ['config.reloaded', 'config.refused', 'config.reloaded'],
  )
  assert.match(logged[1]?.text ?? '', /gatewright\.yaml:3: models: is wrong/)
})

test('a configuration that cannot be published leaves store, snapshot and supervisor with the one before', async () => {
  const { reloader, steps, settled, depth, logged } = rig({
    async publish() {
      steps.push(`publish ${depth()}`)
      if (depth() === 2) throw new TypeError('cannot be compiled')
    },
  })
  await reloader.reload()
  assert.deepEqual(steps, ['apply 2 while 1', 'publish 2', 'apply 1 while 1', 'publish 1'])
  assert.deepEqual([depth(), settled, logged.map(({ code }) => code)], [1, [], ['config.refused']])
})

test('what takes effect at the next start only is named, and the running value stays', async () => {
  const { reloader, logged, settled } = rig({
    async load() {
      const loaded = configOf(2)
      loaded.config.gateway.http.port = 1
      loaded.config.usage.retentionDays = 5
      return loaded
    },
  })
  await reloader.reload()
  assert.equal(logged[0]?.level, 'warn')
  assert.match(logged[0]?.text ?? '', /next start only.*: gateway\.http\.port, usage\.retentionDays\./)
  assert.equal(settled[0]?.gateway.http.port, 8080)
  assert.equal(settled[0]?.bounds.jsonDepth, 2)
})

test('catching up does nothing while the file says what is in force', async () => {
  const { reloader, steps, logged } = rig({ load: async () => configOf(steps.length === 0 ? 1 : 2) })
  await reloader.catchUp()
  assert.deepEqual([steps, logged], [[], []])
  steps.push('the file changes')
  await reloader.catchUp()
  assert.deepEqual(steps.slice(1), ['apply 2 while 1', 'publish 2'])
})

test('a reload that may not be recorded changes nothing; what came of the others is told', async () => {
  const ended: string[] = []
  const recorded = rig({
    ended: async (reason) => {
      ended.push(reason)
    },
  })
  await recorded.reloader.reload()
  assert.deepEqual(ended, [''])
  const refused = rig({ begins: () => Promise.reject(new Error('no room')) })
  await refused.reloader.reload()
  assert.deepEqual([refused.steps, refused.depth()], [[], 1])
  assert.equal(refused.logged[0]?.code, 'config.refused')
  const failing = rig({
    apply: () => Promise.reject(refusal),
    ended: async (reason) => {
      ended.push(reason)
    },
  })
  await failing.reloader.reload()
  assert.deepEqual(ended, ['', 'config.invalid'])
})
