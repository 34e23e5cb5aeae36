import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createArrivalPace } from './arrival-pace.ts'
import { clearConnections, createConnectionBoard, openConnectionBoard } from './connection-board.ts'
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
  assert.ok(caps.take(limits))
})

test('threads of a process have their places together, and those of a thread that dies come back', () => {
  const buffer = createConnectionBoard(3)
  const threads = [0, 1, 2].map((thread) =>
    createConnectionCaps({ board: openConnectionBoard(buffer, thread) }),
  )
  const limits = { ...wide, connections: 4, connectionsPerAddress: 2 }
  const [one, two, three] = threads
  const places = [one?.take(limits), two?.take(limits), three?.take(limits)]
  assert.deepEqual(
    places.map((place) => place?.claim('10.0.0.1', limits)),
    [true, true, false],
  )
  assert.ok(one?.take(limits))
  assert.equal(two?.take(limits), null)
  places[2]?.release()
  assert.equal(three?.take(limits)?.claim('10.0.0.2', limits), true)
  clearConnections(buffer, 0)
  assert.equal(openConnectionBoard(buffer, 1).total, 2)
  assert.equal(two?.take(limits)?.claim('10.0.0.1', limits), true)
  assert.equal(two?.take(limits)?.claim('10.0.0.1', limits), false)
  assert.equal(two?.take(limits), null)
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
  const caps = createConnectionCaps({ now: () => time })
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
