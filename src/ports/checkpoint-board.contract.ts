/** What every CheckpointBoard adapter guarantees. `open` gives an empty store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckpointBoard, PostedCheckpoint } from './checkpoint-board.ts'

export interface OpenedBoard {
  readonly checkpoints: CheckpointBoard
  close(): Promise<void>
}

const posted: PostedCheckpoint = {
  keeper: 'example.org/a',
  log: 'example.org/a',
  note: 'example.org/a\n1\nroot\n\n\u2014 example.org/a sig\n',
  keys: ['example.org/a+00000000+AQ=='],
  offers: { 'example.org/b': 'proof' },
}

export function testCheckpointBoardContract(open: () => Promise<OpenedBoard>): void {
  test('checkpoints of nodes: each keeper has one of each log, the last that it posted', async () => {
    const { checkpoints, close } = await open()
    try {
      assert.deepEqual(await checkpoints.list(), [])
      await checkpoints.post(posted)
      const other = { ...posted, keeper: 'example.org/b', offers: {} }
      await checkpoints.post(other)
      const newer = { ...posted, note: 'newer', offers: {} }
      await checkpoints.post(newer)
      assert.deepEqual(await checkpoints.list(), [newer, other])
    } finally {
      await close()
    }
  })
}
