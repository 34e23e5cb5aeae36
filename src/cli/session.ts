/** One run of the command line: its connection, made when first needed, and its output. */
import type { GatewrightClient } from '../../clients/typescript/index.ts'
import type { Environment } from '../config/index.ts'
import { CliFailure, type ExitReason } from './cli-failure.ts'
import { type Connection, type ConnectionOptions, openConnection } from './connection.ts'
import { type Column, formatTable } from './table.ts'

/** What the command line touches outside itself. */
export interface CliIo {
  readonly environment: Environment
  /** Directory that relative paths start from. */
  readonly directory: string
  out(text: string): void
  err(text: string): void
  /** Everything on standard input, at most 64 KiB. */
  readInput(): Promise<string>
  now(): number
  /** Whether the output is a terminal that may be coloured; absent: it is not. */
  readonly colours?: boolean
}

export interface GlobalOptions extends ConnectionOptions {
  readonly org?: string | undefined
  readonly json?: boolean | undefined
}

export interface Session {
  readonly io: CliIo
  readonly json: boolean
  readonly connection: Connection
  readonly client: GatewrightClient
  /** Slug or id of the organization: `--org`, or the only one that the token sees. */
  organization(): Promise<string>
  /** `value` as JSON with `--json`, else the text that `human` makes of it. */
  show<T>(value: T, human: (value: T) => string): void
  table<T>(rows: readonly T[], columns: readonly Column<T>[], empty: string): void
}

interface ApiError {
  readonly error?: { readonly code?: string; readonly message?: string; readonly request_id?: string }
}

interface ApiReply<T> {
  readonly data?: T
  readonly error?: unknown
  readonly response: Response
}

const adviceByStatus: ReadonlyMap<number, readonly [ExitReason, string]> = new Map([
  [
    401,
    [
      'denied',
      'Give --token, set GATEWRIGHT_TOKEN, or run where the data directory is (--data-dir).',
    ] as const,
  ],
  [403, ['denied', 'Use a token with this scope: gatewright tokens create --scopes …'] as const],
])

/** The data of an answer. @throws CliFailure with the API's own words */
export async function take<T>(reply: Promise<ApiReply<T>>): Promise<T> {
  const { data, error, response } = await reply.catch((cause: unknown) => {
    throw unreachable(cause)
  })
  if (response.ok) return data as T
  const { code, message, request_id: id } = (error as ApiError | undefined)?.error ?? {}
  const [reason, advice] = adviceByStatus.get(response.status) ?? ['failed', '']
  const text = message ?? `The control plane answered ${response.status}.`
  throw new CliFailure(reason, code === undefined ? text : `${text} (${code}, ${id})`, advice)
}

function unreachable(cause: unknown): CliFailure {
  const inner = cause instanceof Error ? cause.cause : undefined
  const code = typeof inner === 'object' && inner !== null && 'code' in inner ? String(inner.code) : ''
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(code)) {
    const advice = 'Name the data directory of that gateway with --data-dir, or set NODE_EXTRA_CA_CERTS.'
    return new CliFailure(
      'unreachable',
      `The certificate of the control plane is not trusted (${code}).`,
      advice,
    )
  }
  const advice = 'Is Gatewright running? Start it with npm start, or give its address with --url.'
  return new CliFailure(
    'unreachable',
    `The control plane cannot be reached${code === '' ? '' : ` (${code})`}.`,
    advice,
  )
}

/** All pages of a list, at most `maxPages`. */
export async function takeAll<T>(
  page: (
    after: string | undefined,
  ) => Promise<{ readonly items: readonly T[]; readonly next: string | null }>,
): Promise<T[]> {
  const all: T[] = []
  let after: string | undefined
  for (let count = 0; count < maxPages; count += 1) {
    const { items, next } = await page(after)
    all.push(...items)
    if (next === null) return all
    after = next
  }
  throw new CliFailure('failed', `There are more than ${all.length} records.`, 'Narrow the list.')
}

const maxPages = 1000

/** Query of one page. */
export function pageAfter(after: string | undefined): { limit: number; after?: string } {
  return after === undefined ? { limit: 500 } : { limit: 500, after }
}

export function createSession(options: GlobalOptions, io: CliIo): Session {
  let connection: Connection | null = null
  const connect = (): Connection => {
    connection ??= openConnection(options, io)
    return connection
  }
  const json = options.json === true
  const session: Session = {
    io,
    json,
    get connection() {
      return connect()
    },
    get client() {
      return connect().client
    },
    async organization() {
      if (options.org !== undefined) return options.org
      const { items } = await take(
        session.client.GET('/api/v1/organizations', { params: { query: { limit: 100 } } }),
      )
      const [first, ...others] = items
      if (first !== undefined && others.length === 0) return first.slug
      const names = items
        .map((organization) => organization.slug)
        .sort()
        .join(', ')
      if (first === undefined)
        throw new CliFailure('failed', 'There is no organization.', 'gatewright orgs add <slug>')
      throw new CliFailure('usage', 'There are several organizations.', `Name one with --org: ${names}`)
    },
    show(value, human) {
      io.out(json ? `${JSON.stringify(value, null, 2)}\n` : human(value))
    },
    table(rows, columns, empty) {
      session.show(rows, () => formatTable(rows, columns, empty))
    },
  }
  return session
}
