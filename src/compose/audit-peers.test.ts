import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PeerTrouble } from '../audit/index.ts'
import type { OversightEvent } from '../domain/oversight-event.ts'
import type { LogEntry } from '../supervisor/log.ts'
import { watchPeers } from './audit-peers.ts'

const board = { post: async () => undefined, list: async () => [] }

test('a log of another node that is not what it was is told of once while it lasts, and again when it comes again', async () => {
  const logged: LogEntry[] = []
  const recorded: OversightEvent[] = []
  let troubles: readonly PeerTrouble[] = []
  const exchange = async () => {
    if (troubles.length > 1) throw new Error('the store is lost')
    return troubles
  }
  const record = async (event: OversightEvent) => {
    recorded.push(event)
  }
  const parts = { board, now: () => 1, log: (entry: LogEntry) => logged.push(entry), turnMs: 10 }
  const watch = watchPeers(parts, { exchange, record })
  const trouble: PeerTrouble = { log: 'example.org/b', reason: 'rewritten', size: 7 }
  troubles = [trouble]
  await sleep(60)
  // A turn that fails says nothing of the log.
  troubles = [trouble, trouble]
  await sleep(60)
  troubles = [trouble]
  await sleep(60)
  assert.deepEqual(
    recorded.map(({ action, severity, reason, resource }) => [action, severity, reason, resource?.id]),
    [['audit.peer-differs', 'critical', 'rewritten', 'example.org/b']],
  )
  assert.match(
    logged[0]?.text ?? '',
    /example\.org\/b of another node is not what it was when it had 7 entries/,
  )
  troubles = []
  await sleep(60)
  troubles = [trouble]
  await sleep(60)
  assert.equal(recorded.length, 2)
  await watch.stop()
})
