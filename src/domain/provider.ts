/**
 * A provider is a row of data: a vendor's addresses, dialect, way of proving who calls, and quirks.
 * Code exists per dialect and per auth scheme only.
 */
import type { DialectId } from './dialect-id.ts'

/**
 * How a request proves itself upstream.
 * bearer: `Authorization: Bearer <apiKey>` · header: `<header>: <apiKey>` · sigv4: AWS Signature Version 4 with
 * `accessKeyId`, `secretAccessKey`, optional `sessionToken` (or a bearer `apiKey`) · google-oauth: bearer token
 * minted from a service account · none. `optional`: a deployment without a key sends no credential (self-hosted
 * servers).
 */
export type AuthScheme =
  | { readonly kind: 'bearer'; readonly optional?: boolean }
  | { readonly kind: 'header'; readonly header: string; readonly optional?: boolean }
  | { readonly kind: 'sigv4'; readonly service: string }
  | { readonly kind: 'google-oauth'; readonly scope: string }
  | { readonly kind: 'none' }

/** Path templates by operation id; `{model}`, `{region}`, `{project}`, `{apiVersion}` … are filled per deployment. */
export type PathTable = Readonly<Record<string, string>>

export interface ProviderQuirks {
  /** Ask for usage on streams by `stream_options.include_usage` when the caller did not (and hide the extra chunk). */
  readonly requestStreamUsage?: boolean
  /** Fields of the openai-chat dialect that this vendor refuses, renamed (value) or refused (null). */
  readonly renameFields?: Readonly<Record<string, string>>
  /** Vendor error bodies nest elsewhere: path of the message. */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens'
}

export interface Provider {
  readonly id: string
  readonly name: string
  /** With `{placeholders}` from deployment settings; null: each deployment must give its own. */
  readonly baseUrl: string | null
  readonly dialect: DialectId
  readonly auth: AuthScheme
  /** Operation id → path below `baseUrl`. Streaming generation uses `<id>#stream` where the path differs. */
  readonly paths: PathTable
  /** Constant headers (`anthropic-version`). */
  readonly headers: Readonly<Record<string, string>>
  /** Caller headers that may pass to this vendor, lower case. */
  readonly forwardHeaders: readonly string[]
  /** Settings a deployment must give, by placeholder name. */
  readonly requiredSettings: readonly string[]
  /** Values of placeholders that a deployment need not give (Azure `apiVersion`). */
  readonly defaults: Readonly<Record<string, string>>
  /** Environment variables that make a deployment on start: credential or setting field → variable names in order of preference. */
  readonly environment: Readonly<Record<string, readonly string[]>>
  /** Model names that this vendor is known for, patterns with a trailing `*`; used for automatic routes. */
  readonly modelPatterns: readonly string[]
  /** True for self-hosted servers that normally sit on private addresses. */
  readonly privateNetwork: boolean
  readonly quirks: ProviderQuirks
  /** Where its own documentation lives. */
  readonly documentation: string
}

/** A row as written down, in the catalogue or in configuration: what is absent takes its default. */
export type ProviderRow = Pick<Provider, 'id' | 'name' | 'dialect' | 'auth' | 'paths'> & Partial<Provider>
