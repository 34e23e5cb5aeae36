import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import type { TimerWheel } from '../../kernel/timer-wheel.ts'
import { createFairQueue, type FairQueue, type QueueGuest, type TryOutcome } from './fair-queue.ts'

/** Time that stands still until it is moved on. */
class HeldTime {
  now = 0
  readonly #timers = new Set<{ at: number; fire: () => void }>()
  readonly clock = { now: () => this.now, monotonic: () => this.now }
  readonly timers: TimerWheel = {
    set: (delayMs, fire) => {
      const timer = { at: this.now + delayMs, fire }
      this.#timers.add(timer)
      return { clear: () => this.#timers.delete(timer), refresh() {} }
    },
    stop() {},
  }

  get pending(): number {
    return this.#timers.size
  }

  async pass(ms: number): Promise<void> {
    const end = this.now + ms
    for (;;) {
      const [due] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (due === undefined) break
      this.now = due.at
      this.#timers.delete(due)
      due.fire()
      await turn()
    }
    this.now = end
    await turn()
  }
}

/** Guests before one counter of units. */
class Scene {
  readonly time = new HeldTime()
  readonly queue: FairQueue
  free = 0
  readonly served: string[] = []
  readonly overdue: string[] = []
  /** Outcomes come in a later turn, as from counters far away. */
  isSlow = false

  constructor(maxWaiting?: number) {
    this.queue = createFairQueue({ ...this.time, ...(maxWaiting === undefined ? {} : { maxWaiting }) })
  }

  guest(name: string, own: Partial<QueueGuest> & { readonly cost?: number } = {}): QueueGuest {
    const { cost = 1 } = own
    const decide = (): TryOutcome => {
      if (cost > this.free) return { lane: 'tokens', cost, retryAfterMs: null }
      this.free -= cost
      return 'served'
    }
    return {
      flow: name,
      weight: 1,
      rank: 2,
      terms: { maxWaitMs: 5000, maxLength: 100 },
      tryAgain: (done) => {
        if (this.isSlow) setImmediate(() => done(decide()))
        else done(decide())
      },
      go: () => this.served.push(name),
      waitIsOver: () => this.overdue.push(name),
      ...own,
    }
  }

  enter(guest: QueueGuest, cost = 1): boolean {
    return this.queue.enter(guest, { lane: 'tokens', cost, retryAfterMs: null })
  }

  giveBack(units: number): void {
    this.free += units
    this.queue.wake('tokens')
  }
}

describe('the fair queue', () => {
  test('serves when units are given back, in turn between applications', async () => {
    const scene = new Scene()
    for (const name of ['a', 'a', 'a', 'b', 'c']) scene.enter(scene.guest(name))
    scene.giveBack(3)
    await turn()
    assert.deepEqual(scene.served, ['a', 'b', 'c'])
    scene.giveBack(2)
    await turn()
    assert.deepEqual(scene.served, ['a', 'b', 'c', 'a', 'a'])
    assert.equal(scene.queue.figures.waiting, 0)
    assert.equal(scene.time.pending, 0)
  })

  test('notices units of which nobody told it, within a quarter of a second', async () => {
    const scene = new Scene()
    scene.enter(scene.guest('a'))
    scene.free = 1
    await scene.time.pass(250)
    assert.deepEqual(scene.served, ['a'])
  })

  test('wakes at the time that the counter named', async () => {
    const scene = new Scene()
    scene.queue.enter(scene.guest('a'), { lane: 'tokens', cost: 1, retryAfterMs: 40 })
    scene.free = 1
    await scene.time.pass(39)
    assert.deepEqual(scene.served, [])
    await scene.time.pass(1)
    assert.deepEqual(scene.served, ['a'])
  })

  test('ends each wait at its bound', async () => {
    const scene = new Scene()
    scene.enter(scene.guest('quick', { terms: { maxWaitMs: 1000, maxLength: 1 } }))
    scene.enter(scene.guest('patient', { terms: { maxWaitMs: 3000, maxLength: 1 } }))
    await scene.time.pass(999)
    assert.deepEqual(scene.overdue, [])
    await scene.time.pass(1)
    assert.deepEqual(scene.overdue, ['quick'])
    await scene.time.pass(2000)
    assert.deepEqual(scene.overdue, ['quick', 'patient'])
    assert.equal(scene.queue.figures.overdue, 2)
    assert.equal(scene.time.pending, 0)
  })

  test('takes as many of one application as its plan says, and as many of all as it holds', () => {
    const scene = new Scene(3)
    const terms = { maxWaitMs: 1000, maxLength: 2 }
    assert.equal(scene.enter(scene.guest('a', { terms })), true)
    assert.equal(scene.enter(scene.guest('a', { terms })), true)
    assert.equal(scene.enter(scene.guest('a', { terms })), false)
    assert.equal(scene.enter(scene.guest('b', { terms })), true)
    assert.equal(scene.enter(scene.guest('c', { terms })), false)
    assert.deepEqual(scene.queue.figures, { waiting: 3, entered: 3, served: 0, full: 2, overdue: 0 })
  })

  test('who goes away makes room, and whoever needs less behind it is looked at', async () => {
    const scene = new Scene()
    const large = scene.guest('large', { cost: 10 } as Partial<QueueGuest>)
    scene.enter(large, 10)
    scene.enter(scene.guest('small'))
    scene.giveBack(5)
    await turn()
    assert.deepEqual(scene.served, [], 'the large one keeps its turn')
    scene.queue.leave(large)
    await turn()
    assert.deepEqual(scene.served, ['small'])
  })

  test('a member that meets another exhausted counter waits there, in nobody else’s way', async () => {
    const scene = new Scene()
    let open = false
    const moving = scene.guest('moving', {
      tryAgain: (done) => done(open ? 'served' : { lane: 'money', cost: 3, retryAfterMs: null }),
    })
    scene.enter(moving)
    scene.enter(scene.guest('other'))
    scene.giveBack(1)
    await turn()
    assert.deepEqual(scene.served, ['other'])
    assert.equal(scene.queue.has('tokens'), false)
    assert.equal(scene.queue.has('money'), true)
    open = true
    scene.queue.wake('money')
    await turn()
    assert.deepEqual(scene.served, ['other', 'moving'])
  })

  test('units given back while an outcome is awaited are not overlooked', async () => {
    const scene = new Scene()
    let answer: (outcome: TryOutcome) => void = () => undefined
    scene.enter(
      scene.guest('a', {
        tryAgain: (done) => {
          answer = done
        },
      }),
    )
    scene.queue.wake('tokens')
    await turn()
    const first = answer
    scene.queue.wake('tokens')
    await turn()
    first({ lane: 'tokens', cost: 1, retryAfterMs: 10_000 })
    await turn()
    assert.notEqual(answer, first, 'it was tried again at once')
    answer('served')
    assert.deepEqual(scene.served, ['a'])
  })
})

const command = fc.oneof(
  fc.record({ does: fc.constant('enter' as const), flow: fc.nat(3), cost: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ does: fc.constant('enter' as const), flow: fc.nat(3), cost: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ does: fc.constant('leave' as const), which: fc.nat(50) }),
  fc.record({ does: fc.constant('give' as const), units: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ does: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 400 }) }),
)

for (const isSlow of [false, true]) {
  test(`whatever happens: bounds hold, nobody is lost or served twice, no wake-up is missed (${isSlow ? 'slow' : 'quick'} counters)`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
        const scene = new Scene(12)
        scene.isSlow = isSlow
        const states = new Map<QueueGuest, 'waiting' | 'served' | 'overdue' | 'left'>()
        const end = (guest: QueueGuest, state: 'served' | 'overdue'): void => {
          assert.equal(states.get(guest), 'waiting')
          states.set(guest, state)
        }
        for (const each of commands) {
          if (each.does === 'enter') {
            const guest: QueueGuest = {
              ...scene.guest(`flow-${each.flow}`, { cost: each.cost } as Partial<QueueGuest>),
              terms: { maxWaitMs: 1000, maxLength: 5 },
              go: () => end(guest, 'served'),
              waitIsOver: () => end(guest, 'overdue'),
            }
            if (scene.enter(guest, each.cost)) states.set(guest, 'waiting')
          } else if (each.does === 'leave') {
            const [guest] = [...states].filter(([, state]) => state === 'waiting')[each.which] ?? []
            if (guest === undefined) continue
            scene.queue.leave(guest)
            states.set(guest, 'left')
          } else if (each.does === 'give') scene.giveBack(each.units)
          else await scene.time.pass(each.ms)
          const waiting = [...states].filter(([, state]) => state === 'waiting')
          assert.equal(scene.queue.figures.waiting, waiting.length)
          assert.ok(waiting.length <= 12)
        }
        // With units for everybody, all that wait are served without any time passing.
        scene.giveBack(1000)
        for (let turns = 0; turns < 100; turns += 1) await turn()
        assert.ok([...states.values()].every((state) => state !== 'waiting'))
        assert.equal(scene.queue.has('tokens'), false)
        assert.equal(scene.time.pending, 0)
      }),
      { numRuns: 40 },
    )
  })
}
