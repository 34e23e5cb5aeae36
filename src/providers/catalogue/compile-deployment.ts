/**
 * A deployment ready for the hot path: origin, paths, constant headers and the way to authorize, all worked out when
 * the snapshot is compiled. Whatever is wrong with it is refused then, never during a request.
 */
import { type DialectId, dialectIds } from '../../domain/dialect-id.ts'
import type { AuthScheme, Provider } from '../../domain/provider.ts'
import type { DeploymentSnapshot } from '../../domain/snapshot.ts'
import { fillBaseUrl, type ParsedOrigin, parseOrigin } from '../../egress/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { UpstreamOrigin } from '../../ports/upstream-client.ts'
import { type Authorize, type AuthPorts, createAuthorize } from '../auth/authorize.ts'
import { generationPathIds, streamSuffix } from './generation.ts'
import { refuse } from './refuse.ts'
import { compilePath, type PathBuilder, type PathSource } from './template.ts'

export interface CompiledDeployment {
  readonly id: string
  readonly slug: string
  readonly snapshot: DeploymentSnapshot
  readonly provider: Provider
  /** The dialect spoken when the caller's own is not served here. */
  readonly dialect: DialectId
  /** Where it computes, as far as is known: its own region, or the one of its settings. */
  readonly region: string | null
  readonly origin: UpstreamOrigin
  /** Value of the Host header: `host`, with the port where it is not the protocol's own. */
  readonly host: string
  /** Constant headers, flat. A forwarded header of the same name takes precedence. */
  readonly headers: readonly string[]
  /** Caller headers that may pass, lower case. */
  readonly forwardHeaders: ReadonlySet<string>
  /** The dialect to speak to this deployment for a caller of `dialect`: the same where it is served. */
  dialectFor(dialect: DialectId): DialectId
  /**
   * Path and query for an operation; null where this deployment does not serve it, or `name` cannot stand in a path.
   * `name`: the model, or the rest of the path for operations whose path ends in `{rest}` (`file-1/content`).
   */
  pathFor(operationId: string, name: string, stream: boolean): string | null
  /** The path for generation in `dialect`, which must come from `dialectFor`. */
  generationPath(dialect: DialectId, model: string, stream: boolean): string | null
  readonly authorize: Authorize
}

/** Operations whose request is another one's streaming form. */
const streamAliases: ReadonlyMap<string, string> = new Map([['gemini.stream', 'gemini.generate']])

interface PathPair {
  readonly unary: PathBuilder
  readonly stream: PathBuilder
}

function compileOrigin(provider: Provider, snapshot: DeploymentSnapshot, settings: Settings): ParsedOrigin {
  const template = snapshot.baseUrl ?? provider.baseUrl
  if (template === null) refuse(`deployment ${snapshot.slug} needs a baseUrl`)
  const filled = snapshot.baseUrl === null ? fillBaseUrl(template, settings) : template
  if (filled instanceof Fault) throw filled
  const parsed = parseOrigin(filled, { allowPrivateNetwork: snapshot.allowPrivateNetwork })
  if (parsed instanceof Fault) throw parsed
  return parsed
}

type Settings = Readonly<Record<string, string>>

function compilePaths(
  provider: Provider,
  place: Omit<PathSource, 'template'>,
): ReadonlyMap<string, PathPair> {
  const pairs = new Map<string, PathPair>()
  for (const [id, template] of Object.entries(provider.paths)) {
    if (id.endsWith(streamSuffix)) continue
    const streaming = provider.paths[id + streamSuffix]
    const unary = compilePath({ ...place, template })
    const stream = streaming === undefined ? unary : compilePath({ ...place, template: streaming })
    pairs.set(id, { unary, stream })
  }
  for (const [alias, id] of streamAliases) {
    const pair = pairs.get(id)
    if (pair !== undefined) pairs.set(alias, { unary: pair.stream, stream: pair.stream })
  }
  return pairs
}

/** Caller's dialect → dialect spoken upstream. A dialect set on the deployment is the only one it speaks. */
function compileDialects(
  where: string,
  provider: Provider,
  override: DialectId | null,
): Readonly<Record<DialectId, DialectId>> {
  const serves = (dialect: DialectId) => Object.hasOwn(provider.paths, generationPathIds[dialect])
  if (override !== null && !serves(override)) {
    refuse(`${where}: the provider ${provider.id} has no path for the dialect ${override}`)
  }
  const spoken = (dialect: DialectId) => override ?? (serves(dialect) ? dialect : provider.dialect)
  const entries = dialectIds.map((dialect) => [dialect, spoken(dialect)])
  return Object.freeze(Object.fromEntries(entries) as Record<DialectId, DialectId>)
}

function hostHeader(origin: UpstreamOrigin): string {
  const host = origin.host.includes(':') ? `[${origin.host}]` : origin.host
  const usual = origin.protocol === 'https:' ? 443 : 80
  return origin.port === usual ? host : `${host}:${origin.port}`
}

/**
 * @throws Fault `config.invalid`, `request.missing-field` or `request.invalid-field` naming the setting at fault
 */
export function compileDeployment(
  provider: Provider,
  snapshot: DeploymentSnapshot,
  ports: AuthPorts,
): CompiledDeployment {
  const where = `deployment ${snapshot.slug}`
  const region = snapshot.region ?? snapshot.settings['region'] ?? provider.defaults['region'] ?? null
  const settings: Settings = {
    ...provider.defaults,
    ...snapshot.settings,
    ...(region === null ? {} : { region }),
  }
  const { origin, basePath } = compileOrigin(provider, snapshot, settings)
  const paths = compilePaths(provider, { where, basePath, settings })
  const dialects = compileDialects(where, provider, snapshot.dialect)
  const pathFor = (operationId: string, name: string, stream: boolean): string | null => {
    const pair = paths.get(operationId)
    if (pair === undefined) return null
    return stream ? pair.stream(name) : pair.unary(name)
  }
  return Object.freeze({
    id: snapshot.id,
    slug: snapshot.slug,
    snapshot,
    provider,
    dialect: snapshot.dialect ?? provider.dialect,
    region,
    origin,
    host: hostHeader(origin),
    headers: Object.freeze(Object.entries(provider.headers).flat()),
    forwardHeaders: new Set(provider.forwardHeaders),
    dialectFor: (dialect: DialectId) => dialects[dialect],
    pathFor,
    generationPath: (dialect: DialectId, model: string, stream: boolean) =>
      pathFor(generationPathIds[dialect], model, stream),
    authorize: createAuthorize<AuthScheme['kind']>(
      provider.auth,
      { where, secrets: snapshot.secrets, region },
      ports,
    ),
  })
}
