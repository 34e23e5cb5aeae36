/**
 * The last snapshot and keys, folded, so that a worker that starts while the control plane is away still gets all.
 */
import type { KeySnapshot, SnapshotConfig, SnapshotMessage } from '../domain/snapshot.ts'
import type { IssuerKeys, RevocationSnapshot } from '../domain/token-issuer.ts'

export interface SnapshotCache {
  add(message: SnapshotMessage): void
  /** The messages that bring a new worker up to date; empty while nothing is known. */
  replay(): SnapshotMessage[]
}

export function createSnapshotCache(): SnapshotCache {
  let config: SnapshotConfig | null = null
  let version = -1
  const keys = new Map<string, KeySnapshot>()
  const issuerKeys = new Map<string, IssuerKeys>()
  const revocations = new Map<string, RevocationSnapshot>()

  function addRevocations(message: Extract<SnapshotMessage, { type: 'token-revocations' }>): void {
    if (message.reset) revocations.clear()
    for (const each of message.add) revocations.set(each.id, each)
    for (const [id, { expiresAt }] of revocations) if (expiresAt <= Date.now()) revocations.delete(id)
  }

  function keepIssuers({ tokenIssuers = [] }: SnapshotConfig): void {
    const known = new Set(tokenIssuers.map(({ id }) => id))
    for (const id of issuerKeys.keys()) if (!known.has(id)) issuerKeys.delete(id)
  }

  return {
    add(message) {
      if (message.type === 'config') {
        config = message.config
        keepIssuers(config)
        return
      }
      if (message.type === 'token-revocations') return addRevocations(message)
      if (message.type === 'token-keys') {
        issuerKeys.set(message.keys.issuerId, message.keys)
        return
      }
      if (message.reset) keys.clear()
      version = message.version
      for (const key of message.upsert) keys.set(key.keyId, key)
      for (const keyId of message.remove) keys.delete(keyId)
    },
    replay() {
      const messages: SnapshotMessage[] = []
      if (config !== null) messages.push({ type: 'config', config })
      // Before the keys, which open the gateway: nothing that was revoked may be taken for a moment.
      if (revocations.size > 0)
        messages.push({ type: 'token-revocations', reset: true, add: [...revocations.values()] })
      for (const each of issuerKeys.values()) messages.push({ type: 'token-keys', keys: each })
      if (version >= 0)
        messages.push({ type: 'keys', version, reset: true, upsert: [...keys.values()], remove: [] })
      return messages
    },
  }
}
