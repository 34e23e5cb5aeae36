import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { tilesOfSize } from './harness/tiles-of-size.ts'
import { parseTilePath, tilePath } from './tile-path.ts'

test('the names of the tlog-tiles specification come out', () => {
  assert.equal(tilePath({ level: 0, index: 1_234_067, width: 256 }), 'tile/0/x001/x234/067')
  assert.equal(tilePath({ level: 63, index: 0, width: 1 }), 'tile/63/000.p/1')
  assert.equal(tilePath({ level: 'entries', index: 999, width: 255 }), 'tile/entries/999.p/255')
  assert.equal(tilePath({ level: 'entries', index: 1000, width: 256 }), 'tile/entries/x001/000')
})

test('a name is read back as what it was, and no other spelling of it is', () => {
  const level = fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const))
  const index = fc.maxSafeNat().map((value) => value % 10 ** 12)
  const width = fc.integer({ min: 1, max: 256 })
  const tile = fc.record({ level, index, width }, { noNullPrototype: true })
  fc.assert(fc.property(tile, (each) => assert.deepEqual(parseTilePath(tilePath(each)), each)))
  for (const path of [
    'tile/00/000',
    'tile/0/00',
    'tile/0/0000',
    'tile/0/x000/000',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/001/000',
    'tile/entry/000',
    'checkpoint',
    'tile/0/000/',
    'tile/0/000.p/',
  ]) {
    assert.equal(parseTilePath(path), null, path)
  }
})

test('a tree of 70,000 has the tiles that the specification counts', () => {
  const tiles = [...tilesOfSize(70_000)]
  const ofLevel = (level: number | 'entries') => tiles.filter((tile) => tile.level === level)
  assert.equal(ofLevel(0).filter(({ width }) => width === 256).length, 273)
  assert.deepEqual(ofLevel(0).at(-1), { level: 0, index: 273, width: 112 })
  assert.deepEqual(ofLevel(1), [
    { level: 1, index: 0, width: 256 },
    { level: 1, index: 1, width: 17 },
  ])
  assert.deepEqual(ofLevel(2), [{ level: 2, index: 0, width: 1 }])
  assert.equal(ofLevel('entries').length, 274)
  assert.deepEqual([...tilesOfSize(256)].map(tilePath), ['tile/0/000', 'tile/entries/000', 'tile/1/000.p/1'])
  assert.deepEqual([...tilesOfSize(0)], [])
})
