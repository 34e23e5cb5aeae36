// What every npm script runs: installs what is missing, then runs the program with the pinned Node.js.
//
//   node tools/launch.mjs <command> [arguments]
//
// Plain JavaScript without dependencies, for any Node.js from version 20. npm runs the scripts as
// `exec node tools/launch.mjs …`: `.npmrc` turns install scripts off, which turns off `prestart` too.
// A start with everything in place reads two lockfiles and costs a few milliseconds.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { installPackages, whatIsMissing } from './install-packages.mjs'
import { findNode, missingNodeMessage, projectRoot, runProgram } from './pinned-node.mjs'

// command → program, and whether the packages for development are needed.
const commands = {
  start: { script: 'src/main.ts', dev: false },
  test: { script: 'tools/test.ts', dev: true },
  check: { script: 'tools/check.ts', dev: true },
  bench: { script: 'bench/run.ts', dev: true },
  prove: { script: 'tools/prove.ts', dev: true },
  generate: { script: 'tools/generate.ts', dev: true },
  sbom: { script: 'tools/sbom.ts', dev: false },
  'system-packages': { script: 'tools/system-packages.ts', dev: false },
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (err) {
    return err.code === 'EPERM'
  }
}

/** Takes the install lock, or returns undefined when another process holds it. */
function takeLock(root) {
  const path = join(root, 'tmp', 'install.lock')
  mkdirSync(join(root, 'tmp'), { recursive: true })
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return path
  } catch (err) {
    if (err.code !== 'EEXIST') throw err
  }
  const holder = Number(readFileSync(path, 'utf8')) || 0
  if (holder > 0 && !isAlive(holder)) rmSync(path, { force: true })
  return undefined
}

/** Installs what is missing. One process at a time; the others wait and find the work done. */
async function install(root, dev) {
  const deadline = Date.now() + 15 * 60_000
  while (whatIsMissing(root, dev) !== undefined) {
    const lock = takeLock(root)
    if (lock === undefined) {
      if (Date.now() > deadline) throw new Error('another install has not ended in 15 minutes')
      await sleep(250)
      continue
    }
    try {
      const reason = whatIsMissing(root, dev)
      if (reason === undefined) return
      await installPackages(root, dev)
    } finally {
      rmSync(lock, { force: true })
    }
    const left = whatIsMissing(root, dev)
    if (left !== undefined) throw new Error(`npm has finished, yet ${left}`)
  }
}

async function main() {
  const [name = '', ...args] = process.argv.slice(2)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    process.stderr.write(`usage: node tools/launch.mjs <${Object.keys(commands).join('|')}> [arguments]\n`)
    process.exitCode = 2
    return
  }
  try {
    await install(projectRoot, command.dev)
  } catch (err) {
    process.stderr.write(`gatewright: the packages could not be installed: ${err.message}\n`)
    process.exitCode = 1
    return
  }
  if (findNode() === undefined) {
    process.stderr.write(`${missingNodeMessage()}\n`)
    process.exitCode = 1
    return
  }
  runProgram(command.script, args)
}

await main()
