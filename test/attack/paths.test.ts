/** Paths and methods that only look like an operation. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { rigForTests } from '../../src/gateway/harness/gateway-rig.ts'

const rig = rigForTests(() => ({}))

/** Status line and head of the answer to a bare request. */
function ask(method: string, target: string, headers = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(Number(new URL(rig.started.url).port), '127.0.0.1', () =>
      socket.write(`${method} ${target} HTTP/1.1\r\nhost: a\r\n${headers}connection: close\r\n\r\n`),
    )
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
    })
    socket.on('close', () => resolve(answer))
  })
}

test('a path that is not an operation byte for byte is none, with the best of keys', async () => {
  const authorization = `authorization: Bearer ${rig.started.apiKey}\r\n`
  for (const target of [
    '//v1/models',
    '/v1/models/',
    '/V1/models',
    '/v1/models;x=1',
    '/v1%2fmodels',
    '/v1/./models',
    '/livez/../v1/models',
    '/v1/files/..',
    '/v1/files/a/../b',
    '/v1/files/%2e%2e',
    '/v1/files/a%2fb',
    '/v1/files//a',
    '/v1/files/.hidden',
    '/livez/',
    '/LIVEZ',
  ]) {
    assert.match(await ask('GET', target, authorization), /^HTTP\/1\.1 404 /, target)
  }
})

test('no credential counts that stands in the query, and health tells nothing else', async () => {
  const { apiKey } = rig.started
  for (const name of ['key', 'api_key', 'access_token']) {
    assert.match(await ask('GET', `/v1/models?${name}=${apiKey}`), /^HTTP\/1\.1 401 /)
  }
  assert.match(await ask('GET', '/livez?/v1/models'), /^HTTP\/1\.1 200 [\s\S]*\{"status":"ok"\}$/)
  assert.match(await ask('HEAD', '/readyz'), /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n$/)
})

test('a method that an operation does not take is told which it does, and 401 how to authenticate', async () => {
  for (const method of ['HEAD', 'PUT', 'OPTIONS', 'FOO', 'get']) {
    assert.match(await ask(method, '/v1/models'), /^HTTP\/1\.1 405 [\s\S]*\r\nallow: GET\r\n/, method)
  }
  assert.match(await ask('GET', '/v1/models'), /\r\nwww-authenticate: Bearer realm="gatewright"\r\n/)
  assert.match(await ask('TRACE', '/v1/models'), /^HTTP\/1\.1 501 /)
})
