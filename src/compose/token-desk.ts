/**
 * Everything that the control plane does about tokens of others: it fetches keys for all workers, asks issuers about
 * opaque tokens, and tells what it knows. Key sets go to the workers like snapshots do, so that one which starts while
 * the control plane is away has them.
 */
import type { SnapshotConfig, SnapshotMessage } from '../domain/snapshot.ts'
import type { TokenIssuerSnapshot } from '../domain/token-issuer.ts'
import { IntrospectionDesk, KeyDesk, type KeyStatus } from '../identity/index.ts'
import type { SecretBox } from '../ports/secret-box.ts'
import type { Store } from '../ports/store.ts'
import type { UpstreamClient } from '../ports/upstream-client.ts'
import { openSecrets } from '../publishing/index.ts'
import type { TokenAnswer, TokenQuestion } from './token-line.ts'

export interface TokenDeskParts {
  readonly client: UpstreamClient
  readonly now: () => number
  readonly store: Store
  readonly secretBox: SecretBox
  readonly readReference: (reference: string) => string | null
  readonly send: (message: SnapshotMessage) => void
  readonly log: (text: string) => void
}

export interface TokenDesk {
  /** What is on its way to the workers. */
  sent(message: SnapshotMessage): void
  answer(question: TokenQuestion, reply: (answer: TokenAnswer) => void): void
  /** Null: no keys are fetched for it. */
  keyStatus(issuerId: string): KeyStatus | null
  close(): void
}

/** Field of the credential that authenticates us at an introspection endpoint. */
const secretField = 'clientSecret'

export function openTokenDesk(parts: TokenDeskParts): TokenDesk {
  const { client, now, log, store } = parts
  let issuers: ReadonlyMap<string, TokenIssuerSnapshot> = new Map()
  const keys = new KeyDesk({
    client,
    now,
    log,
    onKeys: (each) => parts.send({ type: 'token-keys', keys: each }),
  })
  const introspection = new IntrospectionDesk({ client, now, log, secretOf })

  async function secretOf(issuerId: string): Promise<string | null> {
    const organizationId = issuers.get(issuerId)?.organizationId
    if (organizationId === undefined) return null
    const record = await store.tokenIssuers.get(organizationId, issuerId)
    if (record === null) return null
    const { credential } = record
    const sealed =
      credential.kind === 'sealed'
        ? await store.credentials.get(organizationId, credential.credentialId)
        : null
    const known = new Map(sealed === null ? [] : [[sealed.id, sealed]])
    return (await openSecrets(credential, known, parts))?.[secretField] ?? null
  }

  function configure({ tokenIssuers = [] }: SnapshotConfig): void {
    issuers = new Map(tokenIssuers.map((issuer) => [issuer.id, issuer]))
    keys.configure(tokenIssuers)
    introspection.configure(tokenIssuers)
  }

  return {
    sent(message) {
      if (message.type === 'config') configure(message.config)
      else if (message.type === 'token-revocations')
        for (const { issuerId } of message.add) introspection.forget(issuerId)
    },
    answer({ sequence, issuerId, token }, reply) {
      const head = { type: 'token-answer', sequence } as const
      if (token === null) keys.ask(issuerId, (found) => reply({ ...head, keys: found, introspection: null }))
      else introspection.ask(issuerId, token, (said) => reply({ ...head, keys: null, introspection: said }))
    },
    keyStatus: (issuerId) => keys.status(issuerId),
    close: () => keys.close(),
  }
}
