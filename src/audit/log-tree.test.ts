import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBundle } from './entry-bundle.ts'
import { tilesOfSize } from './harness/tiles-of-size.ts'
import { emptyTree, growTree, type LogTree, rootOfEdges } from './log-tree.ts'
import { hashLeaf, rootOfHashes } from './merkle.ts'
import { parseTilePath, tilePath } from './tile-path.ts'

test('a tree that grows by groups of any size has the root and exactly the files of its size', () => {
  const entries = Array.from({ length: 66_000 }, (_, index) => Buffer.from(`entry ${index}`))
  const hashes = entries.map(hashLeaf)
  const files = new Map<string, Uint8Array>()
  let tree: LogTree = emptyTree
  for (const step of [1, 2, 250, 3, 1, 255, 256, 257, 600, 64_000, 375]) {
    const grown = growTree(tree, entries.slice(tree.size, tree.size + step))
    tree = grown.tree
    for (const { path, bytes } of grown.files) files.set(path, bytes)
    assert.deepEqual(rootOfEdges(tree.edges), rootOfHashes(hashes.slice(0, tree.size)), `size ${tree.size}`)
    for (const tile of tilesOfSize(tree.size)) assert.ok(files.has(tilePath(tile)), tilePath(tile))
  }
  assert.equal(tree.size, 66_000)
  for (const [path, bytes] of files) {
    const tile = parseTilePath(path)
    assert.ok(tile !== null, path)
    if (tile.level !== 'entries') assert.equal(bytes.length, tile.width * 32, path)
    else assert.equal(readBundle(Buffer.from(bytes))?.length, tile.width, path)
  }
})
