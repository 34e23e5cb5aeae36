/** What a data worker and the control plane say to each other over their own port. */
import type {
  IdempotencyAnswer,
  IdempotencyRequest,
} from '../adapters/thread-idempotency/thread-idempotency-book.ts'

export type WorkerToControl =
  | { readonly type: 'usage'; readonly sequence: number; readonly lines: Uint8Array }
  | IdempotencyRequest

export type ControlToWorker = { readonly type: 'usage-stored'; readonly sequence: number } | IdempotencyAnswer
