/**
 * The only reader of `process.env` and of `gatewright.yaml`. Precedence: command line, environment
 * (`GATEWRIGHT_*`), file, defaults.
 */
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { Check, Default } from 'typebox/value'
import { ConfigError } from '../faults/config-error.ts'
import { isCidr } from '../identity/index.ts'
import { alertProblems } from './alerts-form.ts'
import { leakReportProblems } from './leak-reports-form.ts'
import { checkLimits } from './limit-form.ts'
import { joinPath, type ParsedDocument, parseConfigText } from './parse.ts'
import { type Config, configSchema, type ResourceDocument, resourceDocumentSchema } from './schema.ts'
import { sinkProblems } from './sinks-form.ts'
import { storageProblems } from './storage-form.ts'
import { tracingProblems, withTelemetryEnvironment } from './tracing-form.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A frozen copy of the process environment. */
export function readEnvironment(): Environment {
  return Object.freeze({ ...process.env })
}

export interface LoadedConfig {
  readonly config: Config
  /** Absolute path of the file; null when there is none. */
  readonly file: string | null
  readonly lineOf: ParsedDocument<Config>['lineOf']
}

export interface LoadOptions {
  /** Given by `--config`; must exist. */
  readonly file?: string
  readonly dataDir?: string
  readonly environment: Environment
  /** Directory that relative paths start from. */
  readonly directory: string
}

const defaultFile = 'gatewright.yaml'

/**
 * Load the configuration. Without a file, defaults apply.
 * @throws ConfigError naming file, line, path and reason of every problem
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const named = options.file ?? options.environment['GATEWRIGHT_CONFIG']
  const file = resolve(options.directory, named ?? defaultFile)
  if (named !== undefined && !existsSync(file)) {
    throw new ConfigError([{ file, line: 0, path: '', reason: 'does not exist' }])
  }
  const parsed = existsSync(file)
    ? parseConfigText(readFileSync(file, 'utf8'), file, configSchema)
    : { value: defaultConfig(), lineOf: () => 0 }
  const dataDir = options.dataDir ?? options.environment['GATEWRIGHT_DATA_DIR'] ?? parsed.value.dataDir
  const tracing = withTelemetryEnvironment(parsed.value.tracing, options.environment)
  const config = { ...parsed.value, tracing, dataDir: resolve(options.directory, dataDir) }
  checkAcross(config, parsed.lineOf, file)
  return { config, file: existsSync(file) ? file : null, lineOf: parsed.lineOf }
}

/** The configuration that an empty file means. */
export function defaultConfig(): Config {
  const value = Default(configSchema, {})
  if (!Check(configSchema, value))
    throw new TypeError('the defaults of the configuration do not satisfy its schema')
  return value
}

/** Parse a document for `gatewright apply`: the objects part of the schema only. */
export function parseResources(text: string, file: string): ParsedDocument<ResourceDocument> {
  return parseConfigText(text, file, resourceDocumentSchema)
}

const loopbackHosts = new Set(['127.0.0.1', '::1', 'localhost'])

/** True where binding to `host` is reachable from this machine only. */
export function isLoopbackHost(host: string): boolean {
  return loopbackHosts.has(host) || /^127(?:\.\d{1,3}){3}$/.test(host)
}

const networkLists = [
  { names: ['gateway', 'trustedProxies'], read: ({ gateway }: Config) => gateway.trustedProxies },
  {
    names: ['gateway', 'http', 'proxyProtocolFrom'],
    read: ({ gateway }: Config) => gateway.http.proxyProtocolFrom,
  },
  {
    names: ['gateway', 'https', 'proxyProtocolFrom'],
    read: ({ gateway }: Config) => gateway.https.proxyProtocolFrom,
  },
] as const

/** Rules that span several options, or that a schema cannot say. */
function checkAcross(config: Config, lineOf: LoadedConfig['lineOf'], file: string): void {
  const problems: { path: (string | number)[]; reason: string }[] = []
  for (const plane of ['gateway', 'control'] as const) {
    const http = config[plane].http
    if (http.enabled && !isLoopbackHost(http.host)) {
      problems.push({
        path: [plane, 'http', 'host'],
        reason: 'plain HTTP binds to loopback only; use https for other addresses',
      })
    }
  }
  if (config.counters.kind === 'valkey' && config.counters.url === undefined) {
    problems.push({
      path: ['counters', 'url'],
      reason: 'says where the address of Valkey or Redis is read from',
    })
  }
  for (const path of networkLists) {
    for (const [at, text] of path.read(config).entries()) {
      if (isCidr(text)) continue
      problems.push({
        path: [...path.names, at],
        reason: 'is no network, such as 10.0.0.0/8 or 2001:db8::/32',
      })
    }
  }
  checkLimits(config, (path, reason) => problems.push({ path: [...path], reason }))
  const { certificateFile, keyFile } = config.tls
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    problems.push({ path: ['tls'], reason: 'certificateFile and keyFile go together' })
  }
  problems.push(
    ...storageProblems(config),
    ...alertProblems(config),
    ...leakReportProblems(config),
    ...sinkProblems(config),
    ...tracingProblems(config),
  )
  if (problems.length > 0) {
    throw new ConfigError(
      problems.map((problem) => ({
        file,
        line: lineOf(problem.path),
        path: joinPath(problem.path),
        reason: problem.reason,
      })),
    )
  }
}

const maxSecretBytes = 65_536

/**
 * Read a secret by its reference, `env:NAME` or `file:/path` (a trailing line break of a file is dropped).
 * Returns null when it is not there; the value never appears in an error.
 */
export function readSecretReference(
  reference: string,
  environment: Environment,
  directory: string,
): string | null {
  if (reference.startsWith('env:')) return environment[reference.slice(4)] || null
  if (!reference.startsWith('file:')) return null
  const path = reference.slice(5)
  try {
    const text = readFileSync(isAbsolute(path) ? path : resolve(directory, path), 'utf8')
    if (text.length > maxSecretBytes) return null
    return text.replace(/\r?\n$/, '') || null
  } catch {
    return null
  }
}
