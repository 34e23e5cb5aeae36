// The container image keeps what SECURITY.md promises: no rights, nothing writable but the data, no secret
// in the context. Reads the files that define it; building it takes a container engine.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { loadConfig } from '../src/config/load.ts'
import { finalStage, isInContext, readInstructions, readRules, textsOf } from './container-files.ts'
import { isTestPath, listFiles } from './gates/source-files.ts'
import { lowestVersion, projectRoot } from './pinned-node.mjs'
import { runNode } from './run-program.ts'

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8')
const instructions = readInstructions(read('deploy/docker/Dockerfile'))
const final = finalStage(instructions)
const ignored = readRules(read('.dockerignore'))

describe('the Dockerfile', () => {
  test('builds on a slim Node.js that the server runs on, in two stages', () => {
    const base = /^NODE_IMAGE=node:(\d+)-slim$/.exec(textsOf(instructions, 'ARG')[0] ?? '')
    assert.equal(Number(base?.[1]), lowestVersion[0])
    assert.deepEqual(textsOf(instructions, 'FROM'), [`\${NODE_IMAGE} AS packages`, `\${NODE_IMAGE}`])
  })

  test('runs as a numeric user that is not root, set before the entry point and never changed', () => {
    assert.deepEqual(textsOf(final, 'USER'), ['10001:10001'])
    const user = final.findIndex((row) => row.name === 'USER')
    assert.ok(final.slice(user).every((row) => row.name !== 'RUN' && row.name !== 'COPY'))
  })

  test('copies by name, never fetches, and gives the user no file to write', () => {
    assert.deepEqual(textsOf(instructions, 'ADD'), [])
    for (const text of textsOf(final, 'COPY')) assert.doesNotMatch(text, /--ch(?:own|mod)|(?:^|\s)\.\s/)
    assert.deepEqual(textsOf(final, 'VOLUME'), ['["/var/lib/gatewright"]'])
  })

  test('copies only what is there and what the builder may see', () => {
    for (const text of textsOf(instructions, 'COPY').filter((copy) => !copy.startsWith('--from='))) {
      for (const source of text.split(' ').slice(0, -1)) {
        assert.ok(existsSync(join(projectRoot, source)), `${source} is not there`)
        assert.ok(isInContext(source, ignored), `${source} is left out by .dockerignore`)
      }
    }
  })

  test('holds no secret and runs no install script', () => {
    for (const text of [...textsOf(instructions, 'ENV'), ...textsOf(instructions, 'ARG')]) {
      assert.doesNotMatch(text, /KEY|TOKEN|SECRET|PASSWORD/i)
    }
    assert.match(textsOf(instructions, 'RUN')[0] ?? '', /--omit=dev .*--ignore-scripts/)
  })

  test('starts Node.js itself, so that SIGTERM reaches it, and sizes the pool before', () => {
    const [entry = ''] = textsOf(final, 'ENTRYPOINT')
    assert.deepEqual(JSON.parse(entry), ['node', 'src/main.ts'])
    assert.deepEqual(textsOf(final, 'STOPSIGNAL'), ['SIGTERM'])
    assert.match(textsOf(final, 'ENV').join(' '), /UV_THREADPOOL_SIZE=8/)
  })

  test('has a health check whose program is in the image', () => {
    const [check = ''] = textsOf(final, 'HEALTHCHECK')
    const command: string[] = JSON.parse(check.slice(check.indexOf('CMD ') + 4))
    assert.deepEqual(command, ['node', 'deploy/docker/healthcheck.mjs'])
    assert.ok(textsOf(final, 'COPY').some((text) => text.startsWith(`${command[1]} `)))
  })
})

test('the build context holds no data, history, installed package, secret or test', () => {
  const outside = [
    '.git/config',
    '.env',
    'data/root.key',
    'node_modules/yaml/package.json',
    'src/config/load.test.ts',
  ]
  for (const path of [
    ...outside,
    'server.pem',
    'docs/a.md',
    'tools/test.ts',
    'src/ports/store.contract.ts',
  ]) {
    assert.equal(isInContext(path, ignored), false, path)
  }
  for (const path of listFiles(projectRoot, 'src').filter((name) => !isTestPath(name))) {
    assert.equal(isInContext(path, ignored), true, path)
  }
})

test('the configuration of the image is valid, and plain HTTP stays inside the container', () => {
  const { config } = loadConfig({
    file: 'deploy/docker/gatewright.yaml',
    environment: {},
    directory: projectRoot,
  })
  assert.equal(config.gateway.https.host, '0.0.0.0')
  assert.equal(config.gateway.http.host, '127.0.0.1')
  assert.equal(config.control.http.enabled, false)
  const ports = [config.gateway.https.port, config.control.https.port]
  assert.deepEqual(textsOf(final, 'EXPOSE'), [ports.join(' ')])
  assert.match(
    read('deploy/docker/healthcheck.mjs'),
    new RegExp(`127\\.0\\.0\\.1:${config.gateway.http.port}/livez`),
  )
})

test('compose takes every right away and keeps the file system read-only', () => {
  const { services } = parse(read('deploy/docker/compose.yaml'))
  const { gatewright } = services
  assert.equal(gatewright.read_only, true)
  assert.equal(gatewright.user, textsOf(final, 'USER')[0])
  assert.deepEqual(gatewright.cap_drop, ['ALL'])
  assert.deepEqual(gatewright.security_opt, ['no-new-privileges:true'])
  assert.equal(gatewright.build.dockerfile, 'deploy/docker/Dockerfile')
  assert.ok(
    gatewright.ports.includes('127.0.0.1:9443:9443'),
    'the control plane is not published to the network',
  )
})

describe('the health check', () => {
  const script = join(projectRoot, 'deploy', 'docker', 'healthcheck.mjs')
  for (const [status, code] of [
    [200, 0],
    [503, 1],
  ] as const) {
    test(`ends with ${code} when /livez answers ${status}`, async () => {
      const server = createServer((req, res) => res.writeHead(req.url === '/livez' ? status : 404).end())
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const run = await runNode([script, `http://127.0.0.1:${port}/livez`], { cwd: projectRoot })
      server.close()
      assert.equal(run.code, code)
    })
  }

  test('ends with 1 when nothing listens', async () => {
    const run = await runNode([script, 'http://127.0.0.1:1/livez'], { cwd: projectRoot })
    assert.equal(run.code, 1)
  })
})
