/** What the status page and `gatewright status` tell. */
import { statfsSync } from 'node:fs'
import type { ListenerStatus, StatusReport } from '../admin/context.ts'
import type { Config } from '../config/index.ts'
import type { WorkerLoad } from '../domain/worker-load.ts'
import { packageVersion } from '../kernel/package-version.ts'
import type { PublisherState } from '../publishing/index.ts'
import type { WorkerCounts } from '../supervisor/messages.ts'
import { isSandboxEnabled } from './control-settings.ts'

export interface StatusParts {
  readonly startedAt: number
  readonly dataDirectory: string
  readonly workers: () => { readonly counts: WorkerCounts; readonly urls: readonly string[] }
  readonly loads: () => readonly WorkerLoad[]
  readonly publisher: () => PublisherState
  readonly controlUrls: () => readonly string[]
  readonly certificateExpiresAt: () => number
  readonly config: () => Config
}

export function createStatus(parts: StatusParts): () => StatusReport {
  return () => {
    const workers = parts.workers()
    const state = parts.publisher()
    const listener = (plane: ListenerStatus['plane']) => (url: string) => ({ plane, url })
    return {
      version: packageVersion,
      startedAt: parts.startedAt,
      nodeVersion: process.versions.node,
      listeners: [...workers.urls.map(listener('data')), ...parts.controlUrls().map(listener('control'))],
      workers: workers.counts,
      load: [...parts.loads()].sort((a, b) => a.worker - b.worker),
      snapshot: { version: state.version, appliedAt: state.appliedAt, problem: state.problem },
      deploymentCount: state.deploymentCount,
      routeCount: state.routeCount,
      sandboxEnabled: isSandboxEnabled(parts.config()),
      certificateExpiresAt: parts.certificateExpiresAt(),
      diskFreeBytes: freeBytes(parts.dataDirectory),
      documentationUrl: parts.config().documentationUrl,
    }
  }
}

function freeBytes(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  } catch {
    return null
  }
}
