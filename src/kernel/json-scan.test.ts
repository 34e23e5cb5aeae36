import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { editMembers, scanJson } from './json-scan.ts'

const bounds = { depth: 32, keys: 1000 }
const object = fc.dictionary(
  fc.string().filter((key) => key !== '__proto__'),
  fc.jsonValue({ maxDepth: 4 }),
)

test('every top-level value is found where JSON.parse reads it, however the text is spaced', () => {
  fc.assert(
    fc.property(object, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
      const text = Buffer.from(` ${JSON.stringify(value, null, space)}\n`)
      const scan = scanJson(text, bounds)
      assert.equal(scan.problem, 'none')
      assert.deepEqual(
        [...scan.members.keys()],
        Object.keys(value).length === 0 ? [] : [...scan.members.keys()],
      )
      for (const [key, span] of scan.members) {
        assert.deepEqual(
          JSON.parse(text.toString('utf8', span.start, span.end)),
          JSON.parse(JSON.stringify(value[key])),
        )
      }
      assert.equal(scan.members.size, Object.keys(value).length)
    }),
  )
})

test('an edit replaces one value, adds what is missing and touches nothing else', () => {
  fc.assert(
    fc.property(object, fc.jsonValue(), (value, replacement) => {
      const body = { ...value, model: 'old' }
      const text = Buffer.from(JSON.stringify(body))
      const json = JSON.stringify(replacement)
      const edited = editMembers(text, scanJson(text, bounds), [
        { key: 'model', json: '"new"' },
        { key: 'zz-added', json },
      ])
      assert.deepEqual(
        JSON.parse(edited.toString()),
        JSON.parse(JSON.stringify({ ...body, model: 'new', 'zz-added': replacement })),
      )
    }),
  )
})

test('an empty object takes a first member', () => {
  const text = Buffer.from('{ }')
  assert.equal(editMembers(text, scanJson(text, bounds), [{ key: 'a', json: '1' }]).toString(), '{ "a":1}')
})

test('depth, key count, duplicates and other top-level values are reported', () => {
  const problem = (text: string): string => scanJson(Buffer.from(text), { depth: 3, keys: 4 }).problem
  assert.equal(problem('{"a":[[1]]}'), 'none')
  assert.equal(problem('{"a":[[[1]]]}'), 'too-deep')
  assert.equal(problem('{"a":{"b":1,"c":2,"d":3}}'), 'none')
  assert.equal(problem('{"a":{"b":1,"c":2,"d":3,"e":4}}'), 'too-many-keys')
  assert.equal(problem('{"model":"a","model":"b"}'), 'duplicate-key')
  assert.equal(problem('{"model":"a","mod\\u0065l":"b"}'), 'duplicate-key')
  for (const text of ['[1]', '"x"', '3', '', '   ', '{"a":1', 'null'])
    assert.equal(problem(text), 'not-an-object')
})

test('long strings with escaped quotes end where they should', () => {
  const long = `${'x'.repeat(200)}\\"${'\\\\'.repeat(3)}`
  const text = Buffer.from(`{"a":"${long}","b":1}`)
  assert.deepEqual([...scanJson(text, bounds).members.keys()], ['a', 'b'])
})

test('small containers and elements are bounded, for they cost a hundred times their bytes once parsed', () => {
  const bounds = { depth: 8, keys: 100 }
  for (const [element, times] of [
    ['{}', 101],
    ['[]', 101],
    ['0', 1002],
    ['""', 1002],
  ] as const) {
    const text = Buffer.from(`{"a":[${Array(times).fill(element).join(',')}]}`)
    assert.equal(scanJson(text, bounds).problem, 'too-many-keys', element)
  }
  const few = Buffer.from(`{"a":[${Array(98).fill('{}').join(',')}]}`)
  assert.equal(scanJson(few, bounds).problem, 'none')
})

test('strings crowded with escaped quotes end where JSON says', () => {
  for (let length = 0; length < 400; length += 7) {
    const value = `${'x'.repeat(length)}${'"\\'.repeat(length)}${'y'.repeat(length % 70)}`
    const text = Buffer.from(JSON.stringify({ model: value, after: 1 }))
    const { members, problem } = scanJson(text, { depth: 8, keys: 100 })
    const span = members.get('model')
    assert.equal(problem, 'none')
    assert.equal(JSON.parse(text.toString('utf8', span?.start, span?.end)), value)
    assert.ok(members.has('after'))
  }
})
