import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { routeStrategies } from '../domain/routing.ts'
import { at, healthOf } from './harness/test-health.ts'
import { type Candidate, type Ordering, orderTargets } from './order-targets.ts'

interface Target extends Candidate {
  readonly name: string
}

function targetOf(name: string, own: Partial<Candidate> = {}): Target {
  const place = Number(name.replace(/\D/g, '')) * 7919 + 1
  return { name, priority: 0, weight: 1, price: null, isCanary: false, place, health: healthOf(), ...own }
}

/** A generator of even numbers, the same in every run (xorshift32). */
function draws(seed = 1): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4_294_967_296
  }
}

const plain: Ordering = {
  strategy: 'weighted',
  canaryPercent: null,
  conversation: null,
  streamed: false,
  monotonic: 0,
  random: draws(),
}

/** Share of draws in which each target goes first. */
function shares(targets: readonly Target[], ordering: Partial<Ordering>, rounds = 4000): Map<string, number> {
  const counts = new Map<string, number>()
  const random = draws(7)
  for (let round = 0; round < rounds; round += 1) {
    const first = orderTargets(targets, { ...plain, random, ...ordering })[0]?.name ?? ''
    counts.set(first, (counts.get(first) ?? 0) + 1 / rounds)
  }
  return counts
}

const anyTargets = fc
  .array(
    fc.record({
      priority: fc.integer({ min: 0, max: 3 }),
      weight: fc.constantFrom(0, 1, 3, 100),
      price: fc.option(fc.integer({ min: 0, max: 100 })),
      isCanary: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((list) => list.map((own, index) => targetOf(`t${index}`, own)))
const anyOrdering = fc.record({
  strategy: fc.constantFrom(...routeStrategies),
  canaryPercent: fc.option(fc.integer({ min: 0, max: 100 })),
  conversation: fc.option(fc.integer()),
  streamed: fc.boolean(),
})

test('property: every order is a permutation, by priority apart from the canary, weight 0 last of its priority', () => {
  fc.assert(
    fc.property(anyTargets, anyOrdering, (targets, ordering) => {
      const ordered = orderTargets(targets, { ...plain, ...ordering })
      assert.deepEqual(ordered.map(({ name }) => name).sort(), targets.map(({ name }) => name).sort())
      const usual = ordered.filter(({ isCanary }) => !isCanary || ordering.canaryPercent === null)
      for (let index = 1; index < usual.length; index += 1) {
        const [before, after] = [usual[index - 1], usual[index]]
        if (before === undefined || after === undefined) continue
        assert.ok(before.priority <= after.priority)
        if (before.priority === after.priority && before.weight === 0) assert.equal(after.weight, 0)
      }
      if (ordering.canaryPercent !== null) {
        const canaries = ordered.map(({ isCanary }) => isCanary)
        const count = canaries.filter(Boolean).length
        const atFront = canaries.slice(0, count).every(Boolean)
        assert.ok(atFront || canaries.slice(canaries.length - count).every(Boolean), 'all first or all last')
      }
    }),
  )
})

test('weights are shares', () => {
  const got = shares([targetOf('t1', { weight: 3 }), targetOf('t2'), targetOf('t3', { weight: 0 })], {})
  assert.ok(Math.abs((got.get('t1') ?? 0) - 0.75) < 0.03, String(got.get('t1')))
  assert.equal(got.get('t3'), undefined)
})

test('a canary gets its share and is the last resort of the others', () => {
  const targets = [targetOf('t1'), targetOf('t2'), targetOf('t3', { isCanary: true })]
  const got = shares(targets, { canaryPercent: 10 })
  assert.ok(Math.abs((got.get('t3') ?? 0) - 0.1) < 0.02, String(got.get('t3')))
  for (const [percent, place] of [
    [0, 2],
    [100, 0],
  ] as const) {
    const names = orderTargets(targets, { ...plain, canaryPercent: percent }).map(({ name }) => name)
    assert.equal(names.indexOf('t3'), place)
  }
  const sticky = [1, 2, 3, 4].map((conversation) => {
    const firsts = shares(targets, { canaryPercent: 50, conversation }, 20)
    assert.equal(firsts.size, 1, 'a conversation stays on its side')
    return [...firsts.keys()][0]
  })
  assert.ok(sticky.length === 4)
})

test('the least busy goes first, by its weight', () => {
  const [idle, busy, large] = [targetOf('t1'), targetOf('t2'), targetOf('t3', { weight: 10 })]
  for (let each = 0; each < 3; each += 1) busy?.health.begin()
  for (let each = 0; each < 15; each += 1) large?.health.begin()
  const names = orderTargets([busy, idle, large], { ...plain, strategy: 'least-busy' }).map(
    ({ name }) => name,
  )
  assert.deepEqual(names, ['t1', 't3', 't2'])
})

test('the cheapest goes first, one without a price after all that have one', () => {
  const targets = [targetOf('t1', { price: 9 }), targetOf('t2'), targetOf('t3', { price: 2 })]
  const names = orderTargets(targets, { ...plain, strategy: 'cost-first' }).map(({ name }) => name)
  assert.deepEqual(names, ['t3', 't1', 't2'])
})

test('of two drawn the quicker is asked: a slow target gets only what no quicker one was drawn with', () => {
  const targets = ['t1', 't2', 't3'].map((name) => targetOf(name))
  const [quick, middle, slow] = targets
  quick?.health.succeeded(50, true, at(0))
  middle?.health.succeeded(100, true, at(0))
  slow?.health.succeeded(4000, true, at(0))
  const got = shares(targets, { strategy: 'latency', streamed: true })
  assert.ok((got.get('t3') ?? 0) < 0.01)
  assert.ok((got.get('t1') ?? 0) > 0.6)
})

test('a target that fails quickly does not look quick', () => {
  const targets = [targetOf('t1'), targetOf('t2')]
  targets[0]?.health.latency(false).addFailure(2, 0)
  targets[1]?.health.succeeded(900, false, at(0))
  assert.deepEqual([...shares(targets, { strategy: 'latency' }).keys()], ['t2'])
})

test('property: a conversation stays where it is while its target is there, and only its own move when one goes', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 2, max: 8 }), fc.nat(), (conversation, count, gone) => {
      const targets = Array.from({ length: count }, (_, index) => targetOf(`t${index}`))
      const firstOf = (list: readonly Target[]): string =>
        orderTargets(list, { ...plain, strategy: 'latency', conversation })[0]?.name ?? ''
      const home = firstOf(targets)
      assert.equal(firstOf([...targets].reverse()), home)
      const lost = targets[gone % count]?.name ?? ''
      const left = targets.filter(({ name }) => name !== lost)
      if (home !== lost) assert.equal(firstOf(left), home)
    }),
  )
})

test('conversations spread by weight', () => {
  const targets = [targetOf('t1', { weight: 3 }), targetOf('t2')]
  let first = 0
  for (let conversation = 0; conversation < 4000; conversation += 1)
    if (orderTargets(targets, { ...plain, conversation: conversation * 2_654_435_761 })[0]?.name === 't1')
      first += 1
  assert.ok(Math.abs(first / 4000 - 0.75) < 0.03, String(first))
})
