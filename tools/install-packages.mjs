// Installs the packages of package-lock.json with npm, and says calmly how far it is.
//
// Plain JavaScript without dependencies (see launch.mjs). Everything is written to stderr, so that
// the output of the program that follows can be piped.
//
// `npm install --no-save` takes the versions of the lockfile, checks every package against its SHA-512,
// and leaves the lockfile as it is; install scripts stay off (`.npmrc`). Not `npm ci`: it refuses the
// lockfile where a registry does not serve a tool's binary for some other platform, and it would first
// delete the Node.js that may be running this. That package.json and the lockfile agree is a gate.

import { spawn } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join, sep } from 'node:path'
import { pinnedPackage } from './pinned-node.mjs'

const outputKept = 16 * 1024 // characters of npm's output kept for the message of a failure

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages
  } catch {
    return undefined
  }
}

/**
 * Says what keeps the installed packages from serving, or undefined when all is in place.
 * Compares package-lock.json with node_modules/.package-lock.json, which npm writes last, when an
 * install has succeeded.
 */
export function whatIsMissing(root, dev) {
  const wanted = readPackages(join(root, 'package-lock.json'))
  if (wanted === undefined) return undefined // nothing to compare with, as in a container image
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'))
  if (installed === undefined) return 'nothing is installed yet'
  for (const path in wanted) {
    const row = wanted[path]
    if (path === '' || (row.dev === true && !dev)) continue
    const there = installed[path]
    if (there !== undefined && there.version === row.version && there.integrity === row.integrity) continue
    // npm leaves out optional packages of other platforms; all but our Node.js may be left out.
    const mayBeAbsent = row.optional === true || row.peer === true || (row.devOptional === true && !dev)
    if (there === undefined && mayBeAbsent && path !== `node_modules/${pinnedPackage()}`) continue
    return there === undefined ? `${path} is not installed` : `${path} is out of date`
  }
  return undefined
}

/**
 * The npm to run: npm's own script when npm started us, else `npm` of the PATH. It must not run on
 * the Node.js inside node_modules, which npm may replace.
 */
export function npmCommand(root, env = process.env) {
  const modules = join(root, 'node_modules') + sep
  const path = (env.PATH ?? '').split(delimiter).filter((folder) => !`${folder}${sep}`.startsWith(modules))
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const outside = path.map((folder) => join(folder, name)).find((file) => existsSync(file))
  const node =
    outside !== undefined && !realpathSync(outside).startsWith(modules) ? outside : process.execPath
  const scripts = [
    env.npm_execpath,
    join(dirname(node), 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(dirname(node), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ]
  const script = scripts.find((file) => file !== undefined && /npm-cli\.js$/.test(file) && existsSync(file))
  if (script !== undefined) return { file: node, args: [script], shell: false, path: path.join(delimiter) }
  // npm of Windows is a .cmd file, which only a shell can run. No argument of ours needs quoting.
  return { file: 'npm', args: [], shell: process.platform === 'win32', path: path.join(delimiter) }
}

/** Writes one line that counts the seconds on a terminal; one line at the start elsewhere. */
function startProgress(text) {
  const started = Date.now()
  const seconds = () => Math.round((Date.now() - started) / 1000)
  if (!process.stderr.isTTY) {
    process.stderr.write(`${text} …\n`)
    return (end) => process.stderr.write(`${end} (${seconds()} s)\n`)
  }
  const draw = () => process.stderr.write(`\r\x1b[2K${text} … ${seconds()} s`)
  draw()
  const timer = setInterval(draw, 1000)
  return (end) => {
    clearInterval(timer)
    process.stderr.write(`\r\x1b[2K${end} (${seconds()} s)\n`)
  }
}

/** Runs npm. `dev`: with the packages that only tests, checks and benchmarks need. */
export function installPackages(root, dev) {
  const npm = npmCommand(root)
  const args = [
    ...npm.args,
    'install',
    '--no-save',
    '--loglevel=error',
    '--no-audit',
    '--no-fund',
    '--no-progress',
  ]
  args.push(dev ? '--include=dev' : '--omit=dev', '--include=optional', '--ignore-scripts')
  const env = { ...process.env, PATH: npm.path }
  // Settings that an outer npm passes on would win over the arguments of this one.
  for (const name of ['npm_config_omit', 'npm_config_include', 'npm_config_production']) delete env[name]
  delete env.NODE_ENV
  const what = dev ? 'Installing packages for development' : 'Installing packages'
  const done = startProgress(what)
  return new Promise((resolve, reject) => {
    const child = spawn(npm.file, args, {
      cwd: root,
      env,
      shell: npm.shell,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const keep = (chunk) => {
      output = (output + chunk).slice(-outputKept)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', reject)
    child.on('close', (code) => {
      done(code === 0 ? 'Packages installed' : 'The install failed')
      if (code === 0) resolve(undefined)
      else reject(new Error(`npm install ended with code ${code}\n${output.trim()}`))
    })
  })
}
