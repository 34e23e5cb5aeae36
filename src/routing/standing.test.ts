import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, healthOf, start } from './harness/test-health.ts'
import { healthBoardBytes, openHealthBoard, tickOf, untilTick } from './health-board.ts'

const pause = { firstMs: 1000, maxMs: 4000 }

test('a target that cools is back for all when its time is over, not before', () => {
  const { standing } = healthOf()
  standing.cool(500, start)
  assert.deepEqual(
    [standing.trouble, standing.waitMs(start), standing.claim(start)],
    ['cooling', 500, 'refused'],
  )
  assert.equal(standing.claim(start + 499), 'refused')
  assert.equal(standing.claim(start + 500), 'granted')
  assert.equal(standing.claim(start + 500), 'granted')
  assert.equal(standing.isClear, true)
})

test('a success does not cut short a pause that the provider asked for; a shorter pause does not either', () => {
  const { standing } = healthOf()
  standing.cool(10_000, start)
  standing.succeeded(start + 10)
  standing.cool(100, start + 20)
  assert.equal(standing.waitMs(start + 20), 9980)
})

test('after the pause of an open one a single exchange tries it; its success opens the way for all', () => {
  const { standing } = healthOf()
  assert.equal(standing.leaveOut('open', pause, start), true)
  assert.equal(standing.leaveOut('open', pause, start + 1), false, 'it is out already')
  assert.equal(standing.claim(start + 999), 'refused')
  assert.equal(standing.claim(start + 1000), 'trial')
  assert.equal(standing.claim(start + 1000), 'refused', 'one at a time')
  assert.equal(standing.waitMs(start + 1000), 1000)
  standing.succeeded(start + 1100)
  assert.equal(standing.isClear, true)
  assert.equal(standing.claim(start + 1100), 'granted')
})

test('each trial that fails doubles the pause, up to its bound; a success makes it short again', () => {
  const { standing } = healthOf()
  let now = start
  for (const expected of [1000, 2000, 4000, 4000]) {
    standing.leaveOut('open', pause, now)
    assert.equal(standing.waitMs(now), expected)
    now += expected
    assert.equal(standing.claim(now), 'trial')
  }
  standing.succeeded(now)
  standing.leaveOut('open', pause, now)
  assert.equal(standing.waitMs(now), 1000)
})

test('a trial that comes to no end gives way: at once when it is let go, after a minute when nobody says so', () => {
  const { standing } = healthOf()
  standing.leaveOut('open', pause, start)
  assert.equal(standing.claim(start + 1000), 'trial')
  standing.release()
  assert.equal(standing.claim(start + 1001), 'trial')
  assert.equal(standing.claim(start + 60_000), 'refused')
  assert.equal(standing.claim(start + 61_020), 'trial')
})

test('what one thread learns, all know', () => {
  const buffer = new SharedArrayBuffer(healthBoardBytes)
  const [one, two] = [openHealthBoard(buffer), openHealthBoard(buffer)].map((board) => healthOf({ board }))
  const other = healthOf({ board: openHealthBoard(buffer), model: 'other' })
  one?.standing.leaveOut('open', pause, start)
  assert.equal(two?.isClear, false)
  assert.equal(other.isClear, true)
  one?.deployment.leaveOut('retired', pause, start)
  assert.deepEqual([two?.trouble, other.trouble], ['retired', 'retired'])
  two?.deployment.clear()
  assert.equal(other.isClear, true)
})

test('a retired deployment is new with a new credential, and calls with the old one cannot retire it', () => {
  const board = openHealthBoard()
  const old = healthOf({ board, credential: 'old' })
  old.deployment.leaveOut('retired', pause, start)
  const renewed = healthOf({ board, credential: 'new' })
  assert.equal(renewed.isClear, true)
  assert.equal(old.deployment.leaveOut('retired', pause, start + 1), false)
  assert.equal(renewed.isClear, true)
  assert.equal(healthOf({ board, credential: 'new' }).deployment.leaveOut('retired', pause, start + 2), true)
  assert.equal(renewed.isClear, false)
})

test('both a model and its deployment must let an exchange through, and a refused claim holds nothing', () => {
  const health = healthOf()
  health.deployment.leaveOut('retired', pause, start)
  health.standing.leaveOut('open', { firstMs: 5000, maxMs: 5000 }, start)
  assert.equal(health.waitMs(start), 5000)
  assert.equal(health.claim(start + 2000), 'refused')
  assert.equal(health.claim(start + 5000), 'trial')
  assert.equal(health.claim(start + 5000), 'refused')
  health.abandoned(true)
  assert.equal(health.claim(start + 5001), 'trial')
})

test('a full board costs a target nothing but the sharing', () => {
  const board = openHealthBoard()
  for (let each = 0; each < 5000; each += 1) board.row(BigInt(each * 7919 + 1))
  const health = healthOf({ board })
  health.standing.leaveOut('open', pause, start)
  assert.deepEqual([health.isClear, healthOf({ board }).isClear], [false, true])
})

test('ticks compare rightly where they wrap around', () => {
  const wrap = 2 ** 31 * 10
  for (const now of [wrap - 500, wrap, wrap + 500, 2 * wrap - 20])
    assert.equal(untilTick(tickOf(now + 1000), now), 1000)
  assert.ok(untilTick(tickOf(at(0).now), at(5000).now) <= -4990)
})
