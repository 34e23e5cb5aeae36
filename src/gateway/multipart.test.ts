import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readForm } from './multipart.ts'

const boundary = 'bOuNd'
const type = `multipart/form-data; boundary=${boundary}`
const wanted = new Set(['model', 'stream'])

const field = (name: string, value: string, more = ''): string =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`
const end = `--${boundary}--\r\n`
const read = (text: string, contentType = type) => readForm(Buffer.from(text, 'latin1'), contentType, wanted)

test('a wanted field is found with the place of its value', () => {
  const body = Buffer.from(field('file', 'x\r\ny', '; filename="model"') + field('model', 'whisper') + end)
  const fields = readForm(body, type, wanted)
  assert.ok(typeof fields !== 'string')
  const found = fields.get('model')
  assert.equal(found?.value, 'whisper')
  assert.equal(body.toString('utf8', found?.start, found?.end), 'whisper')
  assert.equal(fields.has('file'), false)
})

test('a form that two parsers could read differently is refused', () => {
  const good = field('model', 'a')
  const cases: Readonly<Record<string, string>> = {
    'a preamble': `x\r\n${good}${end}`,
    'an epilogue': `${good}${end}more`,
    'a field twice': `${good}${field('model', 'b')}${end}`,
    'a wanted field as a file': `${field('model', 'a', '; filename="x"')}${end}`,
    'two names': `${field('model', 'a', '; name="other"')}${end}`,
    'an extended name': `--${boundary}\r\nContent-Disposition: form-data; name*=utf-8''model\r\n\r\na\r\n${end}`,
    'a folded header': `--${boundary}\r\nContent-Disposition: form-data;\r\n name="model"\r\n\r\na\r\n${end}`,
    'a header twice': `--${boundary}\r\nContent-Disposition: form-data; name="x"\r\nContent-Disposition: form-data; name="model"\r\n\r\na\r\n${end}`,
    'an encoded value': `--${boundary}\r\nContent-Disposition: form-data; name="model"\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n${end}`,
    'no end': good,
    nothing: '',
  }
  for (const [what, text] of Object.entries(cases)) assert.equal(typeof read(text), 'string', what)
  assert.notEqual(typeof read(good + end), 'string')
})

test('a content type with several boundaries, or none, is refused', () => {
  for (const contentType of [
    'multipart/form-data',
    `multipart/form-data; boundary=${boundary}; boundary=other`,
    `multipart/mixed; boundary=${boundary}`,
    'multipart/form-data; boundary=""',
  ]) {
    assert.equal(typeof read(field('model', 'a') + end, contentType), 'string', contentType)
  }
})

test('property: whatever stands in the files, the field that is found is the field that was sent', () => {
  const bytes = fc
    .string({ unit: 'binary-ascii', maxLength: 60 })
    .filter((text) => !text.includes(`--${boundary}`))
  const name = fc.constantFrom('file', 'prompt', 'image')
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(name, bytes), { selector: ([each]) => each }),
      fc.nat(),
      (files, at) => {
        const parts = files.map(([each, content]) => field(each, content, '; filename="f"'))
        parts.splice(at % (parts.length + 1), 0, field('model', 'whisper'))
        const fields = read(parts.join('') + end)
        assert.ok(typeof fields !== 'string', String(fields))
        assert.equal(fields.get('model')?.value, 'whisper')
      },
    ),
  )
})

test('fuzz: any bytes are a form or refused, in time that grows with their length', () => {
  const text = fc.array(
    fc.constantFrom(
      `--${boundary}`,
      '\r\n',
      '--',
      'Content-Disposition: form-data; name="model"',
      '\t',
      ':',
      '"',
      'x',
    ),
    {
      maxLength: 60,
    },
  )
  fc.assert(fc.property(text, (pieces) => assert.ok(read(pieces.join('')) !== undefined)))
  const began = performance.now()
  read(`--${boundary}\r\na:${'\t'.repeat(8000)}\u0000\r\n\r\n`)
  assert.ok(performance.now() - began < 200)
})
