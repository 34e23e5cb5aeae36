import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mediaSource, mediaUrl } from './data-url.ts'

describe('data URLs', () => {
  it('become base64 sources and come back exactly', () => {
    for (const url of [
      'data:image/png;base64,AAAA',
      'data:;base64,',
      'data:text/plain;charset=utf-8;base64,QQ==',
    ]) {
      const source = mediaSource(url)
      assert.equal(source.kind, 'base64')
      assert.equal(mediaUrl(source), url)
    }
  })

  it('stay URLs when they are not base64, and so do all other URLs', () => {
    for (const url of [
      'data:text/plain,hello',
      'data:;base64',
      'https://a/;base64,b',
      'data:a,;base64,b',
      '',
    ]) {
      assert.deepEqual(mediaSource(url), { kind: 'url', url })
      assert.equal(mediaUrl(mediaSource(url)), url)
    }
  })

  it('have no form for a file at a provider', () => {
    assert.equal(mediaUrl({ kind: 'file', fileId: 'f' }), undefined)
  })
})
