/** Events over crashes of the control plane, and sinks that a reload brings and takes. Real threads, in this process. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { stringify } from 'yaml'
import { createCounterMemory } from '../../src/compose/counter-memory.ts'
import { loadConfig } from '../../src/config/index.ts'
import type { OversightEvent } from '../../src/domain/oversight-event.ts'
import type { LogEntry } from '../../src/supervisor/log.ts'
import { supervise } from '../../src/supervisor/supervise.ts'
import { receiverSecret, sendingTo, startReceiver } from './event-receiver.ts'

const anyPorts = () => ({ http: { port: 0 }, https: { enabled: false } })

async function startNode(t: TestContext, own: object) {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-'))
  const file = join(directory, 'gatewright.yaml')
  const write = (more: object): void =>
    writeFileSync(file, stringify({ gateway: { ...anyPorts(), workers: 1 }, control: anyPorts(), ...more }))
  write(own)
  writeFileSync(join(directory, 'receiver-secret'), receiverSecret)
  const dataDir = join(directory, 'data')
  const { config } = loadConfig({ file, environment: {}, directory, dataDir })
  const logged: LogEntry[] = []
  const supervisor = supervise({
    config,
    configFile: file,
    dataDir,
    directory,
    extraCertificates: [],
    log: (entry) => logged.push(entry),
    createCounters: createCounterMemory,
  })
  t.after(async () => {
    await supervisor.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  const { dataUrls, welcome } = await supervisor.started
  const ask = async (): Promise<string> => {
    const response = await request(`${dataUrls[0]}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${welcome.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'sandbox: say=ok' }] }),
    })
    assert.equal(response.statusCode, 200, await response.body.text())
    return String(response.headers['x-gatewright-request-id'])
  }
  return { supervisor, directory, write, ask, logged }
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`in vain: ${what}`)
    await sleep(50)
  }
}

test('while the control plane dies five times, requests go on, and the event of each arrives', async (t) => {
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  receiver.failing = 0.3
  const secret = 'file:receiver-secret'
  const { sinks } = sendingTo(receiver) as { sinks: { webhook: object }[] }
  const [sink] = sinks
  const { supervisor, ask } = await startNode(t, {
    sinks: [{ ...sink, webhook: { ...sink?.webhook, secret } }],
  })
  const served: string[] = []
  for (let crash = 0; crash < 5; crash += 1) {
    for (let count = 0; count < 20; count += 1) served.push(await ask())
    const crashed = supervisor.crashControl()
    for (let count = 0; count < 20; count += 1) served.push(await ask())
    await crashed
    await sleep(1000)
  }
  await until('all of them', () => served.every((id) => receiver.events.has(id)))
  const exchanges = [...receiver.events.keys()].filter((id) => id.startsWith('req_'))
  assert.equal(exchanges.length, served.length)
  assert.equal(receiver.forged, 0)
})

test('a sink that a reload brings gets what happens from then on, in its file; one that it takes gets no more', async (t) => {
  const { supervisor, directory, write, ask, logged } = await startNode(t, {})
  const reloads = () => logged.filter(({ code }) => code === 'config.reloaded').length
  const reload = async (own: object): Promise<void> => {
    const before = reloads()
    write(own)
    supervisor.reload()
    await until('the reload', () => reloads() > before)
    await sleep(300)
  }
  await ask()
  await sleep(300)
  await reload({
    sinks: [{ name: 'file', batchMs: 0, streams: ['access'], jsonlFile: { path: 'events.jsonl' } }],
  })
  const served = [await ask(), await ask()]
  const idsInFile = (): string[] => {
    try {
      const lines = readFileSync(join(directory, 'events.jsonl'), 'utf8').trimEnd().split('\n')
      return lines.map((line) => (JSON.parse(line) as OversightEvent).id)
    } catch {
      return []
    }
  }
  await until('the file', () => idsInFile().length >= 2)
  await reload({})
  await ask()
  await sleep(500)
  assert.deepEqual(idsInFile(), served)
})
