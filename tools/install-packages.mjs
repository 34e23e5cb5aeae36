// Installs the packages of package-lock.json with npm, and says calmly how far it is.
//
// Plain JavaScript without dependencies (see launch.mjs). Everything is written to stderr, so that
// the output of the program that follows can be piped. `npm ci` takes the lockfile exactly and
// checks every package against its SHA-512; install scripts stay off (`.npmrc`).

import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join, sep } from 'node:path'

const outputKept = 16 * 1024 // characters of npm's output kept for the message of a failure

/**
 * The npm to run: npm's own script when npm started us, else `npm` of the PATH. It must not run on
 * the Node.js inside node_modules, which `npm ci` is about to delete.
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

/** Runs `npm ci`. `dev`: with the packages that only tests, checks and benchmarks need. */
export function installPackages(root, dev) {
  const npm = npmCommand(root)
  const args = [...npm.args, 'ci', '--loglevel=error', '--no-audit', '--no-fund', '--no-progress']
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
      else reject(new Error(`npm ci ended with code ${code}\n${output.trim()}`))
    })
  })
}
