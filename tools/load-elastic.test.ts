// deploy/elastic/load.sh against a server that writes down what it is asked: what is loaded, in which order, and that a
// failure is one. What real servers make of the files: `npm run prove -- oversight`.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { projectRoot } from './pinned-node.mjs'

const folder = join(projectRoot, 'deploy/elastic')

interface Asked {
  readonly call: string
  readonly authorization: string | undefined
  readonly body: string
}

async function start(
  t: TestContext,
  answer: (call: string) => { readonly status: number; readonly body: string },
) {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      const call = `${request.method} ${request.url}`
      asked.push({ call, body, authorization: request.headers.authorization })
      const { status, body: text } = answer(call)
      response.writeHead(status).end(text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const load = (...given: readonly string[]): Promise<number | null> => {
    const env = { PATH: process.env['PATH'], ELASTIC_AUTHORIZATION: 'ApiKey a2V5' }
    const child = spawn('/bin/sh', [join(folder, 'load.sh'), ...given], { env, stdio: 'ignore' })
    return new Promise((resolve) => child.once('exit', resolve))
  }
  return { asked, url, load }
}

test('Elasticsearch gets policy, fields and template in this order, Kibana the saved objects', async (t) => {
  const { asked, url, load } = await start(t, () => ({ status: 200, body: '{"success":true}' }))
  assert.equal(await load('elastic', url, url), 0)
  assert.deepEqual(
    asked.map(({ call }) => call),
    [
      'PUT /_ilm/policy/gatewright',
      'PUT /_component_template/gatewright',
      'PUT /_index_template/gatewright',
      'POST /api/saved_objects/_import?overwrite=true',
    ],
  )
  const files = ['ilm-policy.json', 'component-template.json', 'index-template.json', 'kibana.ndjson']
  for (const [at, file] of files.entries())
    assert.ok(asked[at]?.body.includes(readFileSync(join(folder, file), 'utf8').trimEnd()), file)
  assert.ok(asked.every(({ authorization }) => authorization === 'ApiKey a2V5'))
})

test('OpenSearch gets the template, and the policy where it has none', async (t) => {
  let hasPolicy = false
  const { asked, url, load } = await start(t, (call) => ({
    status: call.startsWith('GET') && !hasPolicy ? 404 : 200,
    body: '{}',
  }))
  assert.equal(await load('opensearch', url), 0)
  hasPolicy = true
  assert.equal(await load('opensearch', url), 0)
  const policy = '/_plugins/_ism/policies/gatewright'
  assert.deepEqual(
    asked.map(({ call }) => call),
    [
      'PUT /_index_template/gatewright',
      `GET ${policy}`,
      `PUT ${policy}`,
      'PUT /_index_template/gatewright',
      `GET ${policy}`,
    ],
  )
})

test('what is refused, and an import that succeeds in part, are failures', async (t) => {
  let refused = true
  const { url, load } = await start(t, () => ({ status: refused ? 400 : 200, body: '{"success":false}' }))
  assert.notEqual(await load('elastic', url), 0)
  refused = false
  assert.notEqual(await load('elastic', url, url), 0)
  assert.equal(await load('nothing', url), 2)
})
