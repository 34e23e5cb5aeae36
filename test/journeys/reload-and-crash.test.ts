/** What a reload brought into force outlives the control plane; a start that cannot be ends. Real threads, in this process. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { stringify } from 'yaml'
import { createCounterMemory } from '../../src/compose/counter-memory.ts'
import { type Config, loadConfig } from '../../src/config/index.ts'
import type { LogEntry } from '../../src/supervisor/log.ts'
import { type Supervisor, supervise } from '../../src/supervisor/supervise.ts'

const anyPorts = () => ({ http: { port: 0 }, https: { enabled: false } })

function documentOf(models: readonly string[], own: object = {}): string {
  return stringify({
    gateway: { ...anyPorts(), workers: 1 },
    control: anyPorts(),
    deployments: [{ slug: 'own', provider: 'sandbox' }],
    models: models.map((name) => ({ name, targets: [{ deployment: 'own', model: 'sandbox' }] })),
    ...own,
  })
}

interface Rig {
  readonly supervisor: Supervisor
  readonly logged: readonly LogEntry[]
  write(text: string): void
}

function start(t: TestContext, text: string, change: (config: Config) => Config = (config) => config): Rig {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-'))
  const file = join(directory, 'gatewright.yaml')
  writeFileSync(file, text)
  const { config } = loadConfig({ file, environment: {}, directory, dataDir: join(directory, 'data') })
  const logged: LogEntry[] = []
  const supervisor = supervise({
    config: change(config),
    configFile: file,
    dataDir: join(directory, 'data'),
    directory,
    extraCertificates: [],
    log: (entry) => logged.push(entry),
    createCounters: createCounterMemory,
  })
  t.after(async () => {
    await supervisor.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  return { supervisor, logged, write: (next) => writeFileSync(file, next) }
}

async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await condition())) {
    if (Date.now() > deadline) assert.fail(`in vain: ${what}`)
    await sleep(50)
  }
}

/** `request.json-too-deep` beyond `bounds.jsonDepth`. */
const nested = { metadata: { a: { b: { c: { d: { e: { f: {} } } } } } } }

test('what a reload brought into force stays when the control plane dies, whatever the file says by then', async (t) => {
  const { supervisor, logged, write } = start(t, documentOf(['old']))
  const { dataUrls, welcome } = await supervisor.started
  const ask = async (model: string, own: object = {}): Promise<number> => {
    const response = await request(`${dataUrls[0]}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${welcome.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'sandbox: say=ok' }], ...own }),
    })
    await response.body.dump()
    return response.statusCode
  }
  assert.deepEqual([await ask('old'), await ask('new'), await ask('old', nested)], [200, 404, 200])

  write(documentOf(['old', 'new'], { bounds: { jsonDepth: 6 }, shutdown: { drainTimeoutMs: 1000 } }))
  supervisor.reload()
  await until('the reload', async () => (await ask('new')) === 200 && (await ask('old', nested)) === 400)
  const reloaded = logged.find(({ code }) => code === 'config.reloaded')
  assert.match(reloaded?.text ?? '', /At the next start only.*: shutdown\.drainTimeoutMs\./)

  // Invalid while the control plane dies: the new one says so, and keeps what was in force.
  write(documentOf(['old', 'new'], { providers: [{ id: 'Acme!' }] }))
  await until('the refusal', () => logged.some(({ code }) => code === 'config.refused'))
  const refused = logged.find(({ code }) => code === 'config.refused')
  assert.match(refused?.text ?? '', /gatewright\.yaml:\d+: providers\[0\]: provider id must be text/)
  const before = logged.length
  await supervisor.crashControl()
  await until('the new control plane', () =>
    logged.slice(before).some(({ code }) => code === 'config.refused'),
  )
  assert.equal(supervisor.incidents, 1)
  await sleep(1500)
  assert.deepEqual([await ask('old'), await ask('new'), await ask('old', nested)], [200, 200, 400])

  // Changed while nobody watched it: the new control plane takes it up.
  const crashed = supervisor.crashControl()
  write(documentOf(['new'], { bounds: { jsonDepth: 64 } }))
  await crashed
  await until('the change', async () => (await ask('old')) === 404 && (await ask('new', nested)) === 200)
})

test('what a thread throws while it is put together refuses the start with its reason', async (t) => {
  const providers = [{ id: 'Acme!' }]
  const { supervisor } = start(t, documentOf([]), (config) => ({ ...config, providers }))
  await assert.rejects(
    supervisor.started,
    /Gatewright cannot start\.\n.*provider id must be text of the form/s,
  )
  const { incidents } = supervisor
  await sleep(1500)
  assert.ok(supervisor.incidents <= incidents + 1, 'nothing is started again after a refusal')
})

test('a thread that dies again and again before it was ever ready ends the start', async (t) => {
  const { supervisor } = start(t, documentOf([]))
  let over = false
  const refused = assert
    .rejects(supervisor.started, /The control plane ended 5 times before it was ready/)
    .finally(() => {
      over = true
    })
  while (!over) {
    await supervisor.crashControl()
    await sleep(10)
  }
  await refused
})
