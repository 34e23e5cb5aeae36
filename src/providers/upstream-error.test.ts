import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kindOfStatus, upstreamError } from './upstream-error.ts'

describe('errors of providers', () => {
  it('never pass on what a provider says about the credential of the gateway', () => {
    const error = upstreamError({
      status: 401,
      message: 'Incorrect API key provided: sk-abcd.',
      code: 'invalid_api_key',
    })
    assert.equal(error.status, 502)
    assert.equal(error.code, 'upstream.credential-refused')
    assert.ok(!JSON.stringify(error).includes('sk-abcd'))
  })

  it('have a kind for every status', () => {
    assert.equal(kindOfStatus(429), 'rate-limit')
    assert.equal(kindOfStatus(418), 'invalid-request')
    assert.equal(kindOfStatus(599), 'upstream')
  })

  it('have a message always, and a bounded one', () => {
    assert.equal(upstreamError({ status: 500 }).message, 'The model provider reported an error.')
    assert.equal(upstreamError({ status: 500, message: 'x'.repeat(5000) }).message.length, 2001)
  })
})
