/** The options of `storage`. Several nodes share one PostgreSQL; SQLite is one node's alone. */
import { Type } from 'typebox'

const optional = Type.Optional

const file = (description: string) => optional(Type.String({ description, minLength: 1 }))

const milliseconds = (description: string, value: number, least: number) =>
  Type.Integer({ description, default: value, minimum: least, maximum: 600_000 })

/** How the connection to PostgreSQL is protected. */
const tls = Type.Object(
  {
    mode: Type.Union([Type.Literal('auto'), Type.Literal('verify'), Type.Literal('off')], {
      description:
        '`verify` checks certificate and host name; `off` is plain; `auto` is `off` on loopback and Unix sockets, else `verify`.',
      default: 'auto',
    }),
    authorityFile: file("PEM authorities of the server's certificate; those of the system when left out."),
    certificateFile: file('PEM certificate of this client, where the server asks for one.'),
    keyFile: file('PEM private key of that certificate.'),
  },
  { additionalProperties: false, description: 'TLS to PostgreSQL.', default: {} },
)

export const storageFields = {
  kind: Type.Union([Type.Literal('sqlite'), Type.Literal('postgres')], {
    description: '`sqlite`: a file in the data directory. `postgres`: a database that several nodes share.',
    default: 'sqlite',
  }),
  url: optional(
    Type.String({
      description:
        'Where the URL of the database is read from, `env:NAME` or `file:/absolute/path`: `postgres://user:password@host:5432/database`. A Unix socket is `postgres:///database?host=/directory&user=name`.',
      pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$',
    }),
  ),
  tls,
  poolSize: Type.Integer({
    description: 'Most connections of this node, besides one that listens for changes.',
    default: 10,
    minimum: 2,
    maximum: 200,
  }),
  connectTimeoutMs: milliseconds('Longest time to connect, or to wait for a free connection.', 5000, 100),
  statementTimeoutMs: milliseconds('Longest statement, waiting for locks included.', 10_000, 100),
}

interface StorageTerms {
  readonly storage: {
    readonly kind: 'sqlite' | 'postgres'
    readonly url?: string
    readonly tls: { readonly certificateFile?: string; readonly keyFile?: string }
  }
}

/** What the schema cannot say. */
export function storageProblems({ storage }: StorageTerms): { path: string[]; reason: string }[] {
  const problems: { path: string[]; reason: string }[] = []
  if (storage.kind === 'postgres' && storage.url === undefined)
    problems.push({ path: ['storage', 'url'], reason: 'says where the URL of the database is read from' })
  if (storage.kind === 'sqlite' && storage.url !== undefined)
    problems.push({ path: ['storage', 'url'], reason: 'goes with kind: postgres' })
  const { certificateFile, keyFile } = storage.tls
  if ((certificateFile === undefined) !== (keyFile === undefined))
    problems.push({ path: ['storage', 'tls'], reason: 'certificateFile and keyFile go together' })
  return problems
}
