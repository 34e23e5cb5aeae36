/**
 * The product as a user starts it: a process of its own on a fresh data directory, configured by a file, reached over
 * TLS with its local authority. Ports are free ones; everything ends with `stop`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'

const entry = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const startWithinMs = 30_000

export interface ProductOptions {
  /** Merged into the configuration file. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly environment?: Readonly<Record<string, string>>
  /** Keep what an earlier product left. */
  readonly directory?: string
}

export interface Product {
  /** Loopback HTTP and HTTPS origins of the data plane. */
  readonly http: string
  readonly https: string
  readonly control: string
  readonly controlHttps: string
  /** First API key; empty on a second start. */
  readonly apiKey: string
  readonly adminToken: string
  /** Path of the set-up link, or empty. */
  readonly setupPath: string
  /** PEM of the local authority; empty where the operator brought a certificate. */
  readonly authority: string
  readonly directory: string
  readonly configFile: string
  readonly process: ChildProcess
  /** Everything printed so far. */
  output(): string
  /** SIGTERM; resolves with the exit code. Removes the directory unless told to keep it. */
  stop(options?: { readonly keep?: boolean }): Promise<number | null>
}

const configOf = (own: ProductOptions['config'] = {}): object => ({
  gateway: { http: { port: 0 }, https: { port: 0 }, workers: 1, ...(own['gateway'] as object | undefined) },
  control: { http: { port: 0 }, https: { port: 0 } },
  ...Object.fromEntries(Object.entries(own).filter(([key]) => key !== 'gateway')),
})

/** What the launcher of the product gives it, which gave it to this process, too: where to find programs and compiled code. */
export function launcherEnvironment(): Record<string, string> {
  const names = ['PATH', 'NODE_COMPILE_CACHE', 'UV_THREADPOOL_SIZE']
  return Object.fromEntries(names.map((name) => [name, process.env[name] ?? '']))
}

/** Start one and wait until it serves. */
export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'gatewright-'))
  const configFile = join(directory, 'gatewright.yaml')
  writeFileSync(configFile, stringify(configOf(options.config)))
  const child = spawn(
    process.execPath,
    [entry, '--config', configFile, '--data-dir', join(directory, 'data')],
    {
      cwd: directory,
      env: { ...launcherEnvironment(), HOME: directory, ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let output = ''
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const collect = (chunk: Buffer): void => {
    output += chunk.toString('utf8')
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  try {
    await waitUntil(() => output.includes('Try it'), { child, output: () => output })
  } catch (error) {
    // A process that nobody can stop any more would keep the test file from ending.
    child.kill('SIGKILL')
    throw error
  }
  const origins = [...output.matchAll(/https?:\/\/127\.0\.0\.1:\d+/g)].map((match) => match[0])
  const [http = '', https = '', control = '', controlHttps = ''] = origins
  return {
    http,
    https,
    control,
    controlHttps,
    apiKey: /gwr_live_\w+/.exec(output)?.[0] ?? '',
    adminToken: readFileSync(join(directory, 'data', 'admin-token'), 'utf8').trim(),
    setupPath: /\/setup#\S+/.exec(output)?.[0] ?? '',
    authority: readAuthority(join(directory, 'data', 'tls', 'ca.crt')),
    directory,
    configFile,
    process: child,
    output: () => output,
    async stop(stopOptions = {}) {
      child.kill('SIGTERM')
      const code = await ended
      if (stopOptions.keep !== true) rmSync(directory, { recursive: true, force: true })
      return code
    },
  }
}

function readAuthority(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

async function waitUntil(
  condition: () => boolean,
  { child, output }: { readonly child: ChildProcess; readonly output: () => string },
): Promise<void> {
  const deadline = Date.now() + startWithinMs
  while (!condition()) {
    if (child.exitCode !== null) throw new Error(`the product ended with ${child.exitCode}:\n${output()}`)
    if (Date.now() > deadline) throw new Error(`the product did not start:\n${output()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
