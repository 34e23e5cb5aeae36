import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openDurableFiles } from '../adapters/durable-files/open-durable-files.ts'
import { openFileSecretBox } from '../adapters/file-secret-box/open-file-secret-box.ts'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import type { CheckpointBoard } from '../ports/checkpoint-board.ts'
import { newLogDirectory, openTestLog } from './harness/open-test-log.ts'
import { exchangeCheckpoints } from './peer-checkpoints.ts'
import { openNote } from './signed-note.ts'
import { openSigningKeys } from './signing-keys.ts'
import { verifyLog } from './verify-log.ts'

const roots: string[] = []
after(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true })
})

/** A node with a log of its own name. */
async function openNode(name: string, board: CheckpointBoard) {
  const root = newLogDirectory()
  roots.push(root)
  const keyFiles = await openDurableFiles(join(root, 'keys'))
  const secretBox = openFileSecretBox({ path: join(root, 'root.key') })
  const signer = await openSigningKeys({ files: keyFiles, secretBox, newOrigin: () => `example.org/${name}` })
  let opened = await openTestLog(root, { signer, guard: keyFiles })
  return {
    signer,
    keyFiles,
    get files() {
      return opened.files
    },
    async append(count: number, text = 'entry') {
      await Promise.all(
        Array.from({ length: count }, (_, at) => opened.log.append(Buffer.from(`${text} ${at}`))),
      )
    },
    /** Another log in its place, under the same keys. */
    async rewrite(count: number) {
      await opened.log.close()
      rmSync(join(root, 'audit'), { recursive: true })
      await keyFiles.remove('last-checkpoint')
      opened = await openTestLog(root, { signer, guard: keyFiles })
      await this.append(count, 'forged')
    },
    turn: () => exchangeCheckpoints(board, { files: opened.files, keyFiles, signer, now: Date.now }),
    /** What it keeps of others. */
    async kept() {
      const paths = (await keyFiles.list('peers')).filter((path) => !path.endsWith('.keys'))
      return Promise.all(paths.map(async (path) => String(await keyFiles.read(path))))
    },
  }
}
type Node = Awaited<ReturnType<typeof openNode>>

async function openNodes() {
  const storage = await openSqliteStore({ path: ':memory:' })
  const [a, b] = [await openNode('a', storage.checkpoints), await openNode('b', storage.checkpoints)]
  return { a, b, board: storage.checkpoints, close: () => storage.close() }
}

/** A checkpoint needs three turns: it is offered for what is kept, taken, and posted. */
async function turns({ a, b }: { readonly a: Node; readonly b: Node }) {
  const troubles = []
  for (let round = 0; round < 3; round += 1) troubles.push(...(await a.turn()), ...(await b.turn()))
  return troubles
}

const sizeOf = (note = ''): number => Number(note.split('\n')[1])

test('nodes keep each the newest checkpoint of the others once it is proven to have grown, and cosign it', async () => {
  const nodes = await openNodes()
  const { a, b } = nodes
  await a.append(3)
  await b.append(5)
  assert.deepEqual(await turns(nodes), [])
  assert.deepEqual([(await a.kept()).map(sizeOf), (await b.kept()).map(sizeOf)], [[5], [3]])
  await a.append(300)
  assert.deepEqual(await turns(nodes), [])
  const [kept = ''] = await b.kept()
  assert.equal(sizeOf(kept), 303)
  const cosigners = b.signer.keys.filter(({ type }) => type === 6)
  assert.equal(cosigners.length, 1)
  openNote(kept, [...a.signer.keys, ...cosigners])
  // It is what verify takes.
  const earlier = [{ name: 'of b', note: Buffer.from(kept) }]
  assert.deepEqual((await verifyLog({ files: a.files, keys: a.signer.keys, earlier })).problems, [])
  const written = (await nodes.board.list()).length
  assert.deepEqual(await turns(nodes), [])
  assert.equal(written, 4, 'of each its own and the other')
  await nodes.close()
})

test('a log that its node wrote anew is found by the others, grown or not, and by verify against what they keep', async () => {
  for (const [size, reason] of [
    [40, 'rewritten'],
    [30, 'rewritten'],
    [20, 'cut-back'],
  ] as const) {
    const nodes = await openNodes()
    const { a, b } = nodes
    await a.append(30)
    await b.append(1)
    await turns(nodes)
    await a.rewrite(size)
    const troubles = await turns(nodes)
    assert.ok(
      troubles.some((each) => each.log === 'example.org/a' && each.reason === reason && each.size === 30),
      JSON.stringify(troubles),
    )
    assert.ok(troubles.every((each) => each.log === 'example.org/a'))
    const [kept = ''] = await b.kept()
    assert.equal(sizeOf(kept), 30, 'what was kept stays')
    const earlier = [{ name: 'of b', note: Buffer.from(kept) }]
    const own = await verifyLog({ files: a.files, keys: a.signer.keys, earlier: [] })
    assert.deepEqual(own.problems, [], 'by itself it looks whole')
    const { problems } = await verifyLog({ files: a.files, keys: a.signer.keys, earlier })
    assert.equal(problems.length, 1)
    await nodes.close()
  }
})

test('other keys under the name of a log, and rows that are none, are told of and change nothing', async () => {
  const nodes = await openNodes()
  const { a, b, board } = nodes
  await a.append(2)
  await b.append(2)
  await turns(nodes)
  const stranger = await openNode('a', board)
  await stranger.append(9)
  await stranger.turn()
  assert.deepEqual(await b.turn(), [{ log: 'example.org/a', reason: 'unsigned', size: 2 }])
  const junk = { keeper: 'junk', log: 'junk', note: 'junk', keys: ['junk'], offers: {} }
  await board.post(junk)
  assert.deepEqual(
    (await b.turn()).map(({ log, reason }) => [log, reason]),
    [
      ['example.org/a', 'unsigned'],
      ['junk', 'unsigned'],
    ],
  )
  assert.deepEqual((await b.kept()).map(sizeOf), [2])
  await a.turn()
  const rows = await board.list()
  const forged = rows.find(({ keeper, log }) => keeper === log && log === 'example.org/a')
  assert.ok(forged !== undefined)
  await board.post({ ...forged, offers: { 'example.org/b': 'gatewright consistency-proof v1\n' } })
  assert.deepEqual(
    (await b.turn()).map(({ log }) => log),
    ['junk'],
  )
  await nodes.close()
})
