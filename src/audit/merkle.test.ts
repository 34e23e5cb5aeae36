import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type FullTreeHash,
  hashLeaf,
  isConsistent,
  isIncluded,
  proveConsistency,
  proveInclusion,
  rootOfHashes,
  rootOfSize,
} from './merkle.ts'

/** Leaves and roots of the tests of Certificate Transparency (RFC 6962), by size. */
const leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'))
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

function treeOf(hashes: readonly Uint8Array[]): FullTreeHash {
  return async (level, index) => rootOfHashes(hashes.slice(index * 2 ** level, (index + 1) * 2 ** level))
}

test('the roots of RFC 6962 trees of 0 to 8 leaves come out', async () => {
  const hashes = leaves.map(hashLeaf)
  for (const [size, root] of roots.entries()) {
    assert.equal(rootOfHashes(hashes.slice(0, size)).toString('hex'), root)
    assert.equal((await rootOfSize(size, treeOf(hashes))).toString('hex'), root)
  }
})

test('the inclusion proof of transparency-dev/merkle (leaf 2 of 3) is made and holds', async () => {
  const leafHash = Buffer.from('ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+c=', 'base64')
  const root = Buffer.from('rra8/idLcKFPsGel5VeCZNsPqbUa9eC6FZFY8yngbnc=', 'base64')
  const proof = [Buffer.from('+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=', 'base64')]
  const hashes = leaves.map(hashLeaf)
  assert.deepEqual(await proveInclusion(2, 3, treeOf(hashes)), proof)
  assert.deepEqual(hashes[2], leafHash)
  const claim = { index: 2, size: 3, leafHash, root, proof }
  assert.ok(isIncluded(claim))
  // What that set changes in its files that must be refused.
  for (const wrong of [
    { index: 1 },
    { index: 3 },
    { index: 0 },
    { size: 6 },
    { size: 1 },
    { proof: [] },
    { proof: [root, ...proof] },
    { proof: [...proof, root] },
    { proof: [Buffer.alloc(0), ...proof] },
    { proof: [...proof, Buffer.alloc(0)] },
    { root: Buffer.alloc(0) },
    { root: leafHash },
    { leafHash: root },
  ]) {
    assert.equal(isIncluded({ ...claim, ...wrong }), false, JSON.stringify(wrong))
  }
})

test('every leaf of every tree is proven, and no proof holds for another leaf, size or root', async () => {
  const hashes = Array.from({ length: 70 }, (_, index) => hashLeaf(Buffer.from(`leaf ${index}`)))
  const hashOf = treeOf(hashes)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), async (size, a, b) => {
      const [index, other] = [a % size, b % size]
      const leafHash = hashes[index] ?? Buffer.alloc(0)
      const claim = {
        index,
        size,
        leafHash,
        root: rootOfHashes(hashes.slice(0, size)),
        proof: await proveInclusion(index, size, hashOf),
      }
      assert.ok(isIncluded(claim))
      if (other !== index) {
        assert.equal(isIncluded({ ...claim, index: other }), false)
        assert.equal(isIncluded({ ...claim, leafHash: hashes[other] ?? Buffer.alloc(0) }), false)
      }
      assert.equal(isIncluded({ ...claim, proof: [...claim.proof, leafHash] }), false)
      const flipped = claim.proof.map((hash) => Buffer.from(hash))
      const [first] = flipped
      if (first !== undefined) {
        first[b % 32] = (first[b % 32] ?? 0) ^ 1
        assert.equal(isIncluded({ ...claim, proof: flipped }), false)
      }
    }),
    { numRuns: 300 },
  )
})

/** Of the same tests: size before, size after, proof. */
const consistencyProofs: readonly (readonly [number, number, readonly string[]])[] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
]

test('the consistency proofs of Certificate Transparency (RFC 6962) are made and hold', async () => {
  const hashes = leaves.map(hashLeaf)
  for (const [from, size, expected] of consistencyProofs) {
    const proof = await proveConsistency(from, size, treeOf(hashes))
    assert.deepEqual(
      proof.map((hash) => hash.toString('hex')),
      expected,
    )
    const [older, newer] = [from, size].map((each) => ({
      size: each,
      root: Buffer.from(roots[each] ?? '', 'hex'),
    }))
    assert.ok(older !== undefined && newer !== undefined)
    assert.ok(isConsistent(older, newer, proof))
    // What transparency-dev/merkle changes in its files that must be refused.
    assert.equal(isConsistent(newer, older, proof), from === size)
    for (const wrong of [
      [...proof, older.root],
      [older.root, ...proof],
      [...proof, Buffer.alloc(0)],
    ])
      assert.equal(isConsistent(older, newer, wrong), false)
    if (from === size) continue
    for (const wrong of [proof.slice(1), proof.slice(0, -1), proof.toReversed(), []])
      assert.equal(isConsistent(older, newer, wrong), false)
    for (const each of [from + 1, from - 1, from ^ 2])
      assert.equal(isConsistent({ ...older, size: each }, newer, proof), false)
    for (const each of [size * 2, Math.floor(size / 2)])
      assert.equal(isConsistent(older, { ...newer, size: each }, proof), false)
    assert.equal(isConsistent(older, { ...newer, root: older.root }, proof), false)
    assert.equal(isConsistent({ ...older, root: newer.root }, newer, proof), false)
  }
})

test('every tree is shown to begin with each of its earlier ones, and with no other', async () => {
  const hashes = Array.from({ length: 40 }, (_, index) => hashLeaf(Buffer.from(`leaf ${index}`)))
  const heads = Array.from({ length: 41 }, (_, size) => ({ size, root: rootOfHashes(hashes.slice(0, size)) }))
  for (const to of heads) {
    for (const from of heads.slice(0, to.size + 1)) {
      const proof = await proveConsistency(from.size, to.size, treeOf(hashes))
      assert.ok(isConsistent(from, to, proof), `${from.size} to ${to.size}`)
      const other = hashLeaf(Buffer.from('other'))
      assert.equal(isConsistent({ ...from, root: other }, to, proof), false)
      // From nothing every tree grows.
      if (from.size > 0) assert.equal(isConsistent(from, { ...to, root: other }, proof), false)
      for (const [at, hash] of proof.entries()) {
        const changed = Buffer.from(hash)
        changed[at % 32] = (changed[at % 32] ?? 0) ^ 1
        assert.equal(isConsistent(from, to, proof.with(at, changed)), false)
      }
    }
  }
})
