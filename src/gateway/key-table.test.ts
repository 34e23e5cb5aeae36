import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KeySnapshot } from '../domain/snapshot.ts'
import { createKeyTable, type Interruptible, UnderWay } from './key-table.ts'

const key = (keyId: string, own: Partial<KeySnapshot> = {}): KeySnapshot => ({
  keyId,
  organizationId: 'org_a',
  applicationId: 'app_a',
  environment: 'test',
  models: null,
  operations: null,
  cidrs: [],
  expiresAt: null,
  rotatedAt: 0,
  isQuarantined: false,
  secrets: [],
  ...own,
})

/** An exchange under way that notes that it was ended. */
function runningIn(list: UnderWay): { ended: boolean } {
  const state = { ended: false }
  const member: Interruptible = {
    place: -1,
    interrupt: () => {
      state.ended = true
      list.delete(member)
    },
  }
  list.add(member)
  return state
}

function underWayOf(table: ReturnType<typeof createKeyTable>, keyId: string): UnderWay {
  const found = table.find(keyId)
  assert.ok(found)
  return found.exchanges
}

test('removing a key ends what it has under way; a reset ends that of keys it leaves out', () => {
  const table = createKeyTable()
  table.apply({ reset: true, upsert: [key('a'), key('b'), key('c')], remove: [] })
  const [a, b, c] = ['a', 'b', 'c'].map((keyId) => runningIn(underWayOf(table, keyId)))
  table.apply({ reset: false, upsert: [], remove: ['a', 'unknown'] })
  assert.deepEqual([a?.ended, b?.ended, c?.ended], [true, false, false])
  table.apply({ reset: true, upsert: [key('b')], remove: [] })
  assert.deepEqual([b?.ended, c?.ended, table.size], [false, true, 1])
  assert.equal(table.find('c'), undefined)
})

test('a changed key keeps what it has under way, and a later removal still ends it', () => {
  const table = createKeyTable()
  table.apply({ reset: true, upsert: [key('a')], remove: [] })
  const running = runningIn(underWayOf(table, 'a'))
  table.apply({ reset: false, upsert: [key('a', { models: ['gpt-*'] })], remove: [] })
  assert.equal(running.ended, false)
  assert.equal(table.find('a')?.allowsModel?.('claude'), false)
  table.apply({ reset: false, upsert: [], remove: ['a'] })
  assert.equal(running.ended, true)
})

test('all that is under way ends, although each end takes itself out of the list', () => {
  const list = new UnderWay()
  const running = Array.from({ length: 100 }, () => runningIn(list))
  list.interruptAll()
  assert.ok(running.every(({ ended }) => ended))
  assert.equal(list.size, 0)
})

test('property: the list holds exactly those that were added and not taken out, whatever the order', () => {
  const step = fc.record({ add: fc.boolean(), at: fc.nat({ max: 19 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const list = new UnderWay()
      const members = Array.from({ length: 20 }, (): Interruptible => ({ interrupt: null, place: -1 }))
      const held = new Set<Interruptible>()
      for (const { add, at } of steps) {
        const member = members[at]
        assert.ok(member)
        if (add && !held.has(member)) {
          list.add(member)
          held.add(member)
        } else if (!add) {
          list.delete(member)
          held.delete(member)
        }
        assert.equal(list.size, held.size)
      }
      let ended = 0
      for (const member of members)
        member.interrupt = () => {
          ended += 1
        }
      list.interruptAll()
      assert.equal(ended, held.size)
    }),
  )
})

test('a key that cannot be compiled opens nothing, ends what it had, and holds up no other', () => {
  const table = createKeyTable()
  table.apply({ reset: true, upsert: [key('a')], remove: [] })
  const running = runningIn(underWayOf(table, 'a'))
  const refused = table.apply({
    reset: false,
    upsert: [key('a', { cidrs: ['not a network'] }), key('b')],
    remove: [],
  })
  assert.deepEqual(refused, ['a'])
  assert.equal(table.find('a'), undefined)
  assert.equal(running.ended, true)
  assert.ok(table.find('b'))
})
