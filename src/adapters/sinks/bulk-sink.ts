/**
 * Events to data streams of Elasticsearch or OpenSearch through `_bulk`: operation `create` with the event's id as
 * `_id`, so that a repeated delivery is a conflict (409), which counts as taken. Each item of the answer is read:
 *
 *   200 201 409 taken · 400 given up, with the type of the error · all else tried again (429 and 5xx: overload;
 *   401, 403, 404: credential, rights or templates are the operator's to mend)
 *
 * The answer is asked without reasons, which may hold parts of documents.
 */
import type { OversightEvent } from '../../domain/oversight-event.ts'
import type { DeliveryOutcome, EventSink } from '../../ports/event-sink.ts'
import { exchange, type HttpReceiver, isObject, jsonObject } from './http-exchange.ts'
import { again, outcomeOf, taken } from './outcome.ts'

export interface BulkSinkOptions extends HttpReceiver {
  readonly name: string
  readonly basePath: string
  /** Value of `Authorization`, read anew for each batch; null: the secret is not there. */
  readonly authorization: () => string | null
  readonly indexOf: (event: OversightEvent) => string
  readonly document: (event: OversightEvent) => string
  readonly now: () => number
}

const query = '?filter_path=errors,items.*.status,items.*.error.type'

export function createBulkSink(options: BulkSinkOptions): EventSink {
  return {
    name: options.name,
    async deliver(batch, signal) {
      const authorization = options.authorization()
      if (authorization === null) return again(batch.length, 'its secret is not where the configuration says')
      const headers = ['content-type', 'application/x-ndjson', 'authorization', authorization]
      const body = Buffer.from(batch.map((event) => operationOf(event, options)).join(''))
      const call = { path: `${options.basePath}/_bulk${query}`, headers, body }
      const result = await exchange(options, call, signal)
      if (result.failure !== null || result.status !== 200)
        return outcomeOf(result, batch.length, options.now())
      return outcomeOfItems(result.body, batch.length)
    },
    close: () => Promise.resolve(),
  }
}

function operationOf(event: OversightEvent, { indexOf, document }: BulkSinkOptions): string {
  const action = JSON.stringify({ create: { _index: indexOf(event), _id: event.id } })
  return `${action}\n${document(event)}\n`
}

function outcomeOfItems(body: string, events: number): DeliveryOutcome {
  const answer = jsonObject(body)
  const items = answer?.['items']
  if (!Array.isArray(items) || items.length !== events) return again(events, 'the answer is not one to _bulk')
  const retry: number[] = []
  const rejected: { at: number; reason: string }[] = []
  let problem = ''
  for (const [at, item] of items.entries()) {
    const { status, errorType } = itemOf(item)
    if (status === 200 || status === 201 || status === 409) continue
    const reason = `item ${status}${errorType === '' ? '' : ` ${errorType}`}`
    if (status === 400) rejected.push({ at, reason })
    else {
      retry.push(at)
      problem = reason
    }
  }
  return { ...taken, retry, rejected, problem }
}

function itemOf(item: unknown): { readonly status: number; readonly errorType: string } {
  const created = isObject(item) ? item['create'] : null
  if (!isObject(created) || typeof created['status'] !== 'number') return { status: 0, errorType: '' }
  const error = created['error']
  const type = isObject(error) ? error['type'] : ''
  const isWord = typeof type === 'string' && /^[a-z_]{1,64}$/.test(type)
  return { status: created['status'], errorType: isWord ? type : '' }
}
