import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRsyslog } from '../../../test/fixtures/rsyslog/rsyslog-server.ts'
import { findSystemProgram } from '../../../tools/system-packages.ts'
import { openSyslogSink, type SyslogSettings } from '../../compose/network-sinks.ts'
import type { OversightEvent } from '../../domain/oversight-event.ts'
import { createEgressGuard } from '../../egress/index.ts'
import { sampleEvent, sampleEvents } from '../../events/harness/sample-events.ts'
import { createHttp1Client } from '../http1/client.ts'

const signal = new AbortController().signal
const egress = createEgressGuard()
const tools = {
  name: 'syslog',
  timeoutMs: 5000,
  client: createHttp1Client({ egress }),
  egress,
  now: Date.now,
  readReference: (reference: string) => readFileSync(reference.replace('file:', ''), 'utf8'),
}
const settings: SyslogSettings = {
  host: '127.0.0.1',
  port: 0,
  tls: true,
  allowPrivateNetwork: true,
  authority: '',
  certificate: '',
  key: '',
  format: 'json',
  hostname: 'gw1',
}
const hasRsyslog = findSystemProgram('rsyslogd') !== undefined
const skip = hasRsyslog ? false : 'rsyslogd is not installed: apt-get install rsyslog-gnutls'

function idsOf(lines: readonly string[]): string[] {
  return lines.map((line) => /\[gatewright@32473 id="([^"]*)"/.exec(line)?.[1] ?? line)
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!condition() && Date.now() < deadline) await sleep(20)
}

test('a real rsyslogd with TLS reads every message of every format', { skip }, async (t) => {
  const server = await startRsyslog()
  t.after(() => server.stop())
  for (const format of ['json', 'cef', 'leef', 'ocsf'] as const) {
    const own = { ...settings, port: server.port, authority: `file:${server.authorityFile}`, format }
    assert.equal((await openSyslogSink(own, tools).deliver(sampleEvents, signal)).problem, '')
  }
  await until(() => server.lines().length >= sampleEvents.length * 4)
  const ids = sampleEvents.map(({ id }) => id)
  assert.deepEqual(idsOf(server.lines()), [...ids, ...ids, ...ids, ...ids])
  const payload = server.lines()[0]?.split('] ').slice(1).join('] ') ?? ''
  assert.equal(JSON.parse(payload).event.id, 'req_01')
})

test('with rsyslogd restarted twice on the way, exactly the set arrives', { skip }, async (t) => {
  const server = await startRsyslog()
  t.after(() => server.stop())
  const own = { ...settings, port: server.port, authority: `file:${server.authorityFile}` }
  const sink = openSyslogSink(own, tools)
  const all: readonly OversightEvent[] = Array.from({ length: 3000 }, (_, at) =>
    sampleEvent({ id: `evt_${at}` }),
  )
  let restarts = 0
  let failures = 0
  let restarting: Promise<void> = Promise.resolve()
  const deadline = Date.now() + 30_000
  for (let from = 0; from < all.length; ) {
    assert.ok(Date.now() < deadline, 'it does not come to an end')
    const batch = all.slice(from, from + 100)
    if (from >= 1000 * (restarts + 1)) {
      restarts += 1
      // One after the other: a second restart must not meet a receiver that still starts.
      restarting = restarting.then(server.end).then(server.start)
    }
    const { retry, problem } = await sink.deliver(batch, signal)
    if (retry.length === 0) from += batch.length
    else {
      failures += 1
      assert.notEqual(problem, '')
      await sleep(20)
    }
  }
  await restarting
  const distinct = (): Set<string> => new Set(idsOf(server.lines()))
  await until(() => distinct().size >= all.length)
  assert.deepEqual([...distinct()].sort(), all.map(({ id }) => id).sort())
  assert.equal(restarts, 2)
  assert.ok(failures > 0, 'no delivery fell into a restart')
})

test('a receiver whose certificate is not trusted gets nothing', { skip }, async (t) => {
  const server = await startRsyslog()
  t.after(() => server.stop())
  const { problem, retry } = await openSyslogSink({ ...settings, port: server.port }, tools).deliver(
    sampleEvents,
    signal,
  )
  assert.match(problem, /^the connection failed \((SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+)\)$/)
  assert.equal(retry.length, sampleEvents.length)
  assert.deepEqual(server.lines(), [])
})

test('a real rsyslogd that asks for a certificate reads from who has one of its authority, and nothing else', {
  skip,
}, async (t) => {
  const server = await startRsyslog({ mutual: true })
  t.after(() => server.stop())
  const { certificateFile, keyFile } = server.client
  const own = { ...settings, port: server.port, authority: `file:${server.authorityFile}` }
  const refused = await openSyslogSink(own, tools).deliver(sampleEvents, signal)
  assert.equal(refused.retry.length, sampleEvents.length)
  const shown = { ...own, certificate: `file:${certificateFile}`, key: `file:${keyFile}` }
  assert.equal((await openSyslogSink(shown, tools).deliver(sampleEvents, signal)).problem, '')
  await until(() => server.lines().length >= sampleEvents.length)
  assert.deepEqual(
    idsOf(server.lines()),
    sampleEvents.map(({ id }) => id),
  )
})

test('frames are counted in octets, not characters', async (t) => {
  const chunks: Buffer[] = []
  const server = createServer((socket) => void socket.on('data', (chunk) => void chunks.push(chunk)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const events = [sampleEvent({ organizationId: 'é€😀' }), sampleEvent({ id: 'second' })]
  const outcome = await openSyslogSink({ ...settings, tls: false, port }, tools).deliver(events, signal)
  assert.deepEqual(outcome.retry, [])
  let rest = Buffer.concat(chunks)
  const messages: string[] = []
  while (rest.length > 0) {
    const space = rest.indexOf(' ')
    const length = Number(rest.subarray(0, space).toString())
    messages.push(rest.subarray(space + 1, space + 1 + length).toString())
    rest = rest.subarray(space + 1 + length)
  }
  assert.deepEqual(idsOf(messages), ['req_01', 'second'])
})

test('without TLS nothing leaves this machine', async () => {
  const own = { ...settings, tls: false, host: '192.0.2.1', port: 514 }
  const { problem, retry } = await openSyslogSink(own, tools).deliver(sampleEvents, signal)
  assert.equal(retry.length, sampleEvents.length)
  assert.match(problem, /^(without TLS only this machine is called|egress-denied)$/)
})

test('a receiver that resets the connection has not taken the batch', async (t) => {
  const server = createServer((socket) => void socket.once('data', () => socket.resetAndDestroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { retry } = await openSyslogSink({ ...settings, tls: false, port }, tools).deliver(
    sampleEvents,
    signal,
  )
  assert.equal(retry.length, sampleEvents.length)
})

test('a receiver that closes in order without reading has not taken the batch', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const sink = openSyslogSink({ ...settings, tls: false, port }, tools)
  for (let round = 0; round < 20; round += 1) {
    const outcome = await sink.deliver(sampleEvents, signal)
    assert.equal(outcome.retry.length, sampleEvents.length, 'sent again')
  }
})
