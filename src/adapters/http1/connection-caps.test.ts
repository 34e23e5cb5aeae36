import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createArrivalPace } from './arrival-pace.ts'
import { createConnectionCaps } from './connection-caps.ts'

const wide = { connections: 100, connectionsPerAddress: 100, newConnectionsPerSecond: 1000 }

test('places are counted in all, whoever takes them, and come back once', () => {
  const caps = createConnectionCaps()
  const limits = { ...wide, connections: 2 }
  const first = caps.take(limits)
  assert.equal(first?.claim('10.0.0.1', limits), true)
  assert.ok(caps.take(limits))
  assert.equal(caps.take(limits), null)
  first?.release()
  assert.equal(caps.total, 1)
  assert.ok(caps.take(limits))
})

test('a client is one IPv4 address in any spelling, or one /64 of IPv6', () => {
  for (const [one, same, other] of [
    ['10.0.0.1', '::ffff:10.0.0.1', '10.0.0.2'],
    ['2001:db8:0:1::1', '2001:db8:0:1:ffff::9', '2001:db8:0:2::1'],
  ] as const) {
    const caps = createConnectionCaps()
    const limits = { ...wide, connectionsPerAddress: 1 }
    const place = caps.take(limits)
    assert.equal(place?.claim(one, limits), true)
    const refused = caps.take(limits)
    assert.equal(refused?.claim(same, limits), false)
    refused?.release()
    assert.equal(caps.take(limits)?.claim(other, limits), true)
    place?.release()
    assert.equal(caps.take(limits)?.claim(same, limits), true)
  }
})

test('a client opens what four seconds allow at once, then at its pace; a refusal costs nothing', () => {
  let time = 1000
  const pace = createArrivalPace(() => time)
  const burst = (): number => {
    let passed = 0
    while (passed < 1000 && pace.pass('a', 10)) passed += 1
    return passed
  }
  assert.equal(burst(), 40)
  assert.equal(burst(), 0)
  time += 500
  assert.equal(burst(), 5)
  assert.ok(pace.pass('b', 10))
  time += 60_000
  assert.equal(burst(), 40)
})

test('a client that did harm waits longer than its pace alone asks', () => {
  let time = 1000
  const caps = createConnectionCaps(() => time)
  const limits = { ...wide, newConnectionsPerSecond: 1 }
  const place = caps.take(limits)
  assert.equal(place?.claim('a', limits), true)
  for (let round = 0; round < 4; round += 1) place?.punish()
  assert.equal(caps.take(limits)?.claim('a', limits), false)
  assert.equal(caps.take(limits)?.claim('b', limits), true)
  time += 2001
  assert.equal(caps.take(limits)?.claim('a', limits), true)
})

test('however many clients come, a bounded number is remembered, the latest among them', () => {
  const time = 1000
  const pace = createArrivalPace(() => time, 100)
  for (let index = 0; index < 1000; index += 1) assert.ok(pace.pass(`client ${index}`, 0.5))
  assert.equal(pace.pass('client 999', 0.5), true)
  assert.equal(pace.pass('client 999', 0.5), false)
  for (let index = 0; index < 100; index += 1) pace.pass(`other ${index}`, 0.5)
  assert.equal(pace.pass('client 999', 0.5), true)
})
