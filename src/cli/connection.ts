/**
 * Where the control plane is and who we are there. Order: options, environment, then what lies on this machine: the
 * admin token of the data directory (mode 0600, made at the first start) and its local certificate authority.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import tls from 'node:tls'
import { createGatewrightClient, type GatewrightClient } from '../../clients/typescript/index.ts'
import type { Environment } from '../config/index.ts'
import { CliFailure } from './cli-failure.ts'

export const defaultUrl = 'http://127.0.0.1:9080'

export interface ConnectionOptions {
  readonly url?: string | undefined
  readonly token?: string | undefined
  readonly dataDir?: string | undefined
}

export interface Connection {
  readonly url: string
  readonly client: GatewrightClient
  readonly hasToken: boolean
  /** Data directory, for what only this machine can tell. */
  readonly dataDir: string
}

const tokenMaxBytes = 512

function readTokenFile(dataDir: string): string | null {
  const file = join(dataDir, 'admin-token')
  if (!existsSync(file)) return null
  try {
    return readFileSync(file, 'utf8').slice(0, tokenMaxBytes).trim()
  } catch {
    throw new CliFailure(
      'denied',
      `${file} cannot be read.`,
      'Run as the user that runs Gatewright, or give --token.',
    )
  }
}

/** Add the authority of the data directory to what this process trusts. */
export function trustLocalAuthority(dataDir: string): void {
  const file = join(dataDir, 'tls', 'ca.crt')
  if (!existsSync(file)) return
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(file, 'utf8')])
}

function originOf(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CliFailure('usage', `${text} is not an address.`, `Write for example ${defaultUrl}.`)
  }
  return url.origin
}

/** Hosts to which a token may travel without encryption. */
const loopback = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** The data directory of the gateway on this machine. */
export function dataDirectoryOf(
  { dataDir }: Pick<ConnectionOptions, 'dataDir'>,
  { environment, directory }: { readonly environment: Environment; readonly directory: string },
): string {
  return resolve(directory, dataDir ?? environment['GATEWRIGHT_DATA_DIR'] ?? './data')
}

export function openConnection(
  options: ConnectionOptions,
  place: { environment: Environment; directory: string },
): Connection {
  const { environment } = place
  const dataDir = dataDirectoryOf(options, place)
  const given = options.url ?? environment['GATEWRIGHT_URL']
  const url = originOf(given ?? defaultUrl)
  const { protocol, hostname } = new URL(url)
  if (protocol === 'http:' && !loopback.has(hostname)) {
    throw new CliFailure(
      'usage',
      `${url} would carry the token unencrypted.`,
      'Use https for other machines.',
    )
  }
  // The local token belongs to the gateway of this machine: it never goes to another host.
  const local = loopback.has(hostname) ? readTokenFile(dataDir) : null
  const token = options.token ?? environment['GATEWRIGHT_TOKEN'] ?? local
  if (protocol === 'https:') trustLocalAuthority(dataDir)
  return {
    url,
    dataDir,
    hasToken: token !== null,
    client: createGatewrightClient({ baseUrl: url, ...(token === null ? {} : { token }) }),
  }
}
