// The files of the container image start as its user, on a tree that this user cannot write, pass the health
// check and end in order: what can be proven of the image without a container engine. The packages are those
// installed here; that src needs none of development is a gate.

import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { finalStage, isInContext, readInstructions, readRules, textsOf } from './container-files.ts'
import { listFiles } from './gates/source-files.ts'
import { projectRoot } from './pinned-node.mjs'
import { runNode } from './run-program.ts'

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8')
const final = finalStage(readInstructions(read('deploy/docker/Dockerfile')))
const imageUser = Number(textsOf(final, 'USER')[0]?.split(':')[0])
const startTimeoutMs = 30_000

const root = mkdtempSync(join(tmpdir(), 'image-'))
const app = join(root, 'app')
const data = join(root, 'data')
const configuration = join(root, 'gatewright.yaml')
let server: ChildProcess | undefined
let output = ''

/** Copies into `app` what COPY puts into the image, as .dockerignore lets the builder see it. */
function copyImage(): void {
  const rules = readRules(read('.dockerignore'))
  for (const text of textsOf(final, 'COPY').filter((copy) => !copy.startsWith('--from='))) {
    const sources = text.split(' ').slice(0, -1)
    const files = sources.flatMap((source) =>
      statSync(join(projectRoot, source)).isDirectory() ? listFiles(projectRoot, source) : [source],
    )
    for (const file of files.filter((path) => isInContext(path, rules))) {
      mkdirSync(join(app, dirname(file)), { recursive: true })
      cpSync(join(projectRoot, file), join(app, file))
    }
  }
  symlinkSync(join(projectRoot, 'node_modules'), join(app, 'node_modules'), 'dir')
}

/** The image's user where we may become it and it can reach Node.js; else no change of user. */
function chooseUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const user = { uid: imageUser, gid: imageUser }
  return spawnSync(process.execPath, ['-e', '0'], { ...user, cwd: root }).status === 0 ? user : undefined
}

async function waitForBanner(child: ChildProcess): Promise<void> {
  const deadline = Date.now() + startTimeoutMs
  while (!output.includes('is ready') || !output.includes('Data plane')) {
    assert.equal(child.exitCode, null, `it ended:\n${output}`)
    assert.ok(Date.now() < deadline, `no banner in ${startTimeoutMs} ms:\n${output}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

before(() => {
  chmodSync(root, 0o755)
  mkdirSync(app)
  mkdirSync(data, { mode: 0o700 })
  copyImage()
  // The image's own configuration, with any free port in place of the fixed ones.
  writeFileSync(configuration, read('deploy/docker/gatewright.yaml').replace(/port: \d+/g, 'port: 0'))
})

after(() => {
  server?.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

describe('the files of the image', () => {
  test('start as the user of the image and pass its health check', async () => {
    const user = chooseUser()
    if (user !== undefined) chownSync(data, user.uid, user.gid)
    spawnSync('chmod', ['-R', 'a-w', app])
    const env = {
      GATEWRIGHT_CONFIG: configuration,
      GATEWRIGHT_DATA_DIR: data,
      NODE_ENV: 'production',
      UV_THREADPOOL_SIZE: '8',
    }
    const entry: string[] = JSON.parse(textsOf(final, 'ENTRYPOINT')[0] ?? '[]')
    const child = spawn(process.execPath, entry.slice(1), {
      cwd: app,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    })
    server = child
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
    await waitForBanner(child)
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0]
    assert.ok(url !== undefined, output)
    const check = await runNode([join(app, 'deploy/docker/healthcheck.mjs'), `${url}/livez`], { cwd: app })
    assert.equal(check.code, 0)
  })

  test('write into the data directory alone, which no other user can read', () => {
    assert.equal(statSync(data).mode & 0o777, 0o700)
    assert.equal(statSync(join(data, readdirSync(data)[0] ?? '')).uid, statSync(data).uid)
    const written = listFiles(root).filter((path) => !path.startsWith('app/'))
    assert.deepEqual(written, ['gatewright.yaml']) // data/ and node_modules/ are not listed
  })

  test('end in order on SIGTERM', async () => {
    assert.ok(server !== undefined)
    server.kill('SIGTERM')
    assert.deepEqual(await once(server, 'exit'), [0, null], output)
  })
})
