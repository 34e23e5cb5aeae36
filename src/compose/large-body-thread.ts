/** The thread that reads large bodies for one worker, one after another; ended from outside when it has been idle. */
import { parentPort } from 'node:worker_threads'
import { digestBody, type LargeBodyTerms } from '../gateway/index.ts'

export interface LargeBodyJob {
  readonly body: Uint8Array<ArrayBuffer>
  readonly terms: LargeBodyTerms
}
export interface LargeBodyResult {
  readonly body: Uint8Array<ArrayBuffer>
  readonly digest: ReturnType<typeof digestBody>
}

parentPort?.on('message', ({ body, terms }: LargeBodyJob) => {
  const digest = digestBody(Buffer.from(body.buffer, body.byteOffset, body.byteLength), terms)
  const result: LargeBodyResult = { body, digest }
  parentPort?.postMessage(result, [body.buffer])
})
