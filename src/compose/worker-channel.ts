/** What a data worker and the control plane say to each other over their own port. */

import type { CountersAnswer, CountersRequest } from '../adapters/thread-counters/thread-central-counters.ts'
import type {
  IdempotencyAnswer,
  IdempotencyRequest,
} from '../adapters/thread-idempotency/thread-idempotency-book.ts'
import type { ContentRecord } from '../domain/content.ts'
import type { WorkerLoad } from '../domain/worker-load.ts'
import type { RefusalBatch } from '../gateway/index.ts'
import type { TraceBatch } from '../tracing/index.ts'
import type { AlertMessage } from './alert-outbox.ts'
import type { TokenAnswer, TokenQuestion } from './token-line.ts'

export type WorkerToControl =
  | { readonly type: 'usage'; readonly sequence: number; readonly lines: Uint8Array }
  | ({ readonly type: 'refusals' } & RefusalBatch)
  | { readonly type: 'content'; readonly sequence: number; readonly record: ContentRecord }
  | { readonly type: 'load'; readonly load: WorkerLoad }
  | AlertMessage
  | TraceBatch
  | IdempotencyRequest
  | CountersRequest
  | TokenQuestion

export type ControlToWorker =
  | {
      readonly type:
        | 'usage-stored'
        | 'usage-refused'
        | 'refusals-stored'
        | 'refusals-refused'
        | 'content-stored'
        | 'alert-taken'
        | 'traces-taken'
      readonly sequence: number
    }
  | IdempotencyAnswer
  | CountersAnswer
  | TokenAnswer
