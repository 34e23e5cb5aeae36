/**
 * Typed client of the Gatewright admin API. Paths, parameters, bodies and answers are checked by the compiler
 * against the types that are generated from the API's description.
 *
 *   const client = createGatewrightClient({ baseUrl: 'http://127.0.0.1:9080', token: 'gwa_…' })
 *   const { data, error } = await client.GET('/api/v1/organizations')
 */
import createClient, { type Client, type ClientOptions } from 'openapi-fetch'
import type { paths } from './schema.gen.ts'

export type { paths } from './schema.gen.ts'

export interface GatewrightClientOptions {
  /** Origin of the control plane. */
  readonly baseUrl: string
  /** Admin token; left out for the set-up exchange alone. */
  readonly token?: string
  /** Another `fetch`, for example one that trusts a local authority. */
  readonly fetch?: NonNullable<ClientOptions['fetch']>
}

export type GatewrightClient = Client<paths>

export function createGatewrightClient(options: GatewrightClientOptions): GatewrightClient {
  return createClient<paths>({
    baseUrl: options.baseUrl,
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    headers: options.token === undefined ? {} : { authorization: `Bearer ${options.token}` },
  })
}
