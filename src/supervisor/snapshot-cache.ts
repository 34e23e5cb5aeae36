/**
 * The last snapshot and keys, folded, so that a worker that starts while the control plane is away still gets all.
 */
import type { KeySnapshot, SnapshotConfig, SnapshotMessage } from '../domain/snapshot.ts'

export interface SnapshotCache {
  add(message: SnapshotMessage): void
  /** The messages that bring a new worker up to date; empty while nothing is known. */
  replay(): SnapshotMessage[]
}

export function createSnapshotCache(): SnapshotCache {
  let config: SnapshotConfig | null = null
  let version = -1
  const keys = new Map<string, KeySnapshot>()
  return {
    add(message) {
      if (message.type === 'config') {
        config = message.config
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
      if (version >= 0)
        messages.push({ type: 'keys', version, reset: true, upsert: [...keys.values()], remove: [] })
      return messages
    },
  }
}
