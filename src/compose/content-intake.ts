/**
 * Content from the workers, where the configuration asks for it: sealed, stored, and gone after its retention.
 * Retention goes on when content logging has been switched off again.
 */
import type { MessagePort } from 'node:worker_threads'
import { openSealedContentLog } from '../adapters/sealed-content-log/open-sealed-content-log.ts'
import type { ContentRecord } from '../domain/content.ts'
import type { ContentLog } from '../ports/content-log.ts'
import type { SecretBox } from '../ports/secret-box.ts'
import type { ControlToWorker } from './worker-channel.ts'

export interface ContentIntakeOptions {
  readonly directory: string
  readonly secretBox: SecretBox
  readonly retentionDays: () => number
  readonly now: () => number
  readonly log: (text: string) => void
}

export interface ContentIntake {
  readonly contentLog: ContentLog
  /** Store a record of a worker; it is told on `port` when its part is done. */
  add(message: { readonly sequence: number; readonly record: ContentRecord }, port: MessagePort): void
  close(): Promise<void>
}

const pruneEveryMs = 3_600_000

export function openContentIntake(options: ContentIntakeOptions): ContentIntake {
  const contentLog = openSealedContentLog(options)
  const prune = (): void => {
    contentLog.prune().catch(() => options.log('Old content could not be removed.'))
  }
  prune()
  const timer = setInterval(prune, pruneEveryMs)
  timer.unref()
  return {
    contentLog,
    add({ sequence, record }, port) {
      contentLog.add(record, (fault) => {
        if (fault !== null) options.log(`The content of ${record.id} is lost: ${fault.internalText}`)
        const stored: ControlToWorker = { type: 'content-stored', sequence }
        port.postMessage(stored)
      })
    },
    async close() {
      clearInterval(timer)
      await contentLog.close()
    },
  }
}
