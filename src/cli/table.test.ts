import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CliFailure } from './cli-failure.ts'
import { parseDuration, parseMoment } from './durations.ts'
import { formatFields, formatTable, formatTime } from './table.ts'

interface Row {
  readonly name: string
  readonly count: number
}

test('columns are as wide as their widest cell, numbers stand to the right', () => {
  const table = formatTable<Row>(
    [
      { name: 'a', count: 5 },
      { name: 'longer', count: 1200 },
    ],
    [
      { head: 'Name', text: (row) => row.name },
      { head: 'Count', align: 'right', text: (row) => String(row.count) },
    ],
    'None.',
  )
  assert.equal(table, 'NAME     COUNT\na            5\nlonger    1200\n')
  assert.equal(formatTable([], [], 'None.'), 'None.\n')
})

test('no name can move the cursor, colour the terminal or start a line of its own', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const table = formatTable([name], [{ head: 'Name', text: (row) => row }], '')
      const fields = formatFields([['Name', name]])
      for (const text of [table, fields]) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
        assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(text))
      }
      assert.equal(table.split('\n').length, 3)
      assert.equal(fields.split('\n').length, 2)
    }),
  )
})

test('times are UTC to the minute', () => {
  assert.equal(formatTime(Date.UTC(2026, 10, 1, 12, 5, 59)), '2026-11-01 12:05')
  assert.equal(formatTime(null), '–')
})

test('durations and dates are read as written, anything else is refused with an example', () => {
  assert.deepEqual(
    ['90s', '15m', '24h', '30d', '2w'].map(parseDuration),
    [90_000, 900_000, 86_400_000, 2_592_000_000, 1_209_600_000],
  )
  assert.equal(parseMoment('1h', 1000), 3_601_000)
  assert.equal(parseMoment('2027-01-31', 0), Date.UTC(2027, 0, 31))
  for (const text of ['', '5', '1y', '-1h', 'tomorrow', '31.01.2027', '99999999d']) {
    assert.throws(() => parseMoment(text, 0), CliFailure)
  }
})
