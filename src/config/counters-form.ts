/** How `counters` is written in `gatewright.yaml`: where nodes share what limits count. */
import { Type } from 'typebox'

export const countersFields = {
  kind: Type.Enum(['auto', 'local', 'database', 'valkey'], {
    type: 'string',
    description:
      'Where rates and concurrency are counted. `local`: each node by itself. `database`: in the database of the store. `valkey`: in Valkey or Redis. `auto`: `database` with PostgreSQL, else `local`. Budgets of the calendar are always in the database.',
    default: 'auto',
  }),
  url: Type.Optional(
    Type.String({
      description:
        'Where the address of Valkey or Redis is read from: `env:NAME` or `file:/absolute/path`. `redis://user:password@host:6379`, or `rediss://` for TLS.',
      pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$',
    }),
  ),
  cluster: Type.Boolean({ description: 'The server is one of a cluster.', default: false }),
  prefix: Type.String({
    description: 'Before every key. Installations that share a server have prefixes of their own.',
    default: 'gatewright:',
    pattern: '^[A-Za-z0-9:._-]{0,64}$',
  }),
  certificateFile: Type.Optional(
    Type.String({ description: 'PEM of an authority that is trusted besides the public ones.' }),
  ),
  timeoutMs: Type.Integer({
    description: 'Longest wait for an answer. Then limits go by their `onStoreLoss`.',
    default: 250,
    minimum: 10,
    maximum: 10_000,
  }),
}

interface CountersConfig {
  readonly counters: { readonly kind: string }
  readonly storage?: { readonly kind: string }
}

/** True where rates and concurrency are counted outside the memory of a node. */
export function sharesRates({ counters, storage }: CountersConfig): boolean {
  return counters.kind === 'auto' ? storage?.kind === 'postgres' : counters.kind !== 'local'
}
