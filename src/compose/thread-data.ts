/** What this thread was opened for. */
import { workerData } from 'node:worker_threads'
import type { ThreadOpening } from '../supervisor/plane-thread.ts'

export const { plane } = workerData as ThreadOpening

/** What the supervisor gives it, as soon as it knows. */
export async function receiveThreadData<Data>(): Promise<Data> {
  const { data: port } = workerData as ThreadOpening
  const received = await new Promise<Data>((resolve) => port.once('message', resolve))
  port.close()
  return received
}
