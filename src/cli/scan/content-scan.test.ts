import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mintApiKey } from '../../identity/index.ts'
import { ContentScan } from './content-scan.ts'

test('a token is told once, wherever the content is cut', () => {
  const { text } = mintApiKey('test')
  const content = Buffer.from(`a: 1\nkey: ${text}\nb: 2\n`)
  for (let cut = 1; cut < content.length; cut += 1) {
    const found: (readonly [string, number, number])[] = []
    const scan = new ContentScan(({ text: token, line, column }) => found.push([token, line, column]), {
      scansBinary: false,
      countsLines: true,
    })
    for (const chunk of [content.subarray(0, cut), content.subarray(cut)]) scan.push(chunk)
    assert.deepEqual(found, [[text, 2, 6]], `cut at ${cut}`)
  }
})
