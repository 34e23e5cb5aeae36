/**
 * Events as gzipped JSON lines in an S3-compatible object store, one object for each batch. The name of an object comes
 * from its events, so a repeated delivery of the same batch writes the same object again. It is made of characters that
 * need no encoding alone, so the signature has one reading.
 *
 *   <prefix>/2026-11-28/20/<time of the first event>-<hash of the ids>.jsonl.gz
 */
import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { OversightEvent } from '../../domain/oversight-event.ts'
import type { EventSink } from '../../ports/event-sink.ts'
import { exchange, type HttpReceiver } from './http-exchange.ts'
import { again, outcomeOf } from './outcome.ts'

export interface ObjectStoreSinkOptions extends HttpReceiver {
  readonly name: string
  /** Path of the bucket, with what stands before objects. */
  readonly basePath: string
  /** Headers that prove who writes; null: the credential is not there. */
  readonly sign: (put: ObjectPut) => readonly string[] | null
  /** JSON of an event. */
  readonly document: (event: OversightEvent) => string
  readonly now: () => number
}

export interface ObjectPut {
  readonly path: string
  readonly body: Uint8Array
  readonly contentHash: string
}

const compress = promisify(gzip)

export function createObjectStoreSink(options: ObjectStoreSinkOptions): EventSink {
  return {
    name: options.name,
    async deliver(batch, signal) {
      const body = await compress(batch.map((event) => `${options.document(event)}\n`).join(''))
      const path = `${options.basePath}/${objectName(batch)}`
      const contentHash = hash('sha256', body, 'hex')
      const proof = options.sign({ path, body, contentHash })
      if (proof === null) return again(batch.length, 'its credential is not where the configuration says')
      const headers = ['content-type', 'application/gzip', 'x-amz-content-sha256', contentHash, ...proof]
      const result = await exchange(options, { method: 'PUT', path, headers, body }, signal)
      return outcomeOf(result, batch.length, options.now())
    },
    close: () => Promise.resolve(),
  }
}

function objectName(batch: readonly OversightEvent[]): string {
  const time = new Date(batch[0]?.time ?? 0).toISOString()
  const ids = hash('sha256', batch.map(({ id }) => id).join('\n'), 'hex').slice(0, 32)
  const compact = time.replace(/[:.]/g, '-')
  return `${time.slice(0, 10)}/${time.slice(11, 13)}/${compact}-${ids}.jsonl.gz`
}
