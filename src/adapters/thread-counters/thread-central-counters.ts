/**
 * The counters of another thread, over a message port: workers ask, the control plane's counters answer. Calls come
 * and go by number; a call under way when the control plane goes is rejected. There is no time limit here: the stores
 * behind it have theirs, and a late lease must still reach whoever asked, because it is debited.
 */
import type { CentralCounters } from '../../ports/central-counters.ts'

/** The stores that a node may have, by what they count: periods of the calendar, or rates and concurrency. */
export type CounterStoreName = 'calendar' | 'rates'

type Method = Exclude<keyof CentralCounters, 'close' | 'takesReportsOnce'>
type Arguments = { readonly [M in Method]: Parameters<CentralCounters[M]> }
type Call = { readonly [M in Method]: { readonly method: M; readonly input: Arguments[M][0] } }[Method]

/** Worker → control plane. */
export interface CountersRequest {
  readonly type: 'counters-call'
  readonly number: number
  readonly store: CounterStoreName
  readonly call: Call
}
/** Control plane → worker. */
export interface CountersAnswer {
  readonly type: 'counters-answer'
  readonly number: number
  /** What the method resolved with; `failed`: it was rejected, or there is no such store. */
  readonly result: unknown
  readonly failed: boolean
}

const maxWaiting = 100_000

interface Waiting {
  readonly sender: (request: CountersRequest) => void
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

export interface ThreadCounters {
  open(store: CounterStoreName): CentralCounters
  connect(send: (request: CountersRequest) => void): void
  /** The control plane behind `send` is gone: what waits for it is rejected. */
  disconnect(send: (request: CountersRequest) => void): void
  answer(answer: CountersAnswer): void
}

/** The worker's side. */
export function createThreadCounters(): ThreadCounters {
  const waiting = new Map<number, Waiting>()
  let send: ((request: CountersRequest) => void) | null = null
  let count = 0

  function ask(store: CounterStoreName, call: Call): Promise<unknown> {
    const sender = send
    if (sender === null || waiting.size >= maxWaiting) {
      return Promise.reject(new Error('the control plane cannot be asked for counters'))
    }
    count += 1
    const number = count
    return new Promise((resolve, reject) => {
      waiting.set(number, { sender, resolve, reject })
      sender({ type: 'counters-call', number, store, call })
    })
  }

  function forwarder(store: CounterStoreName): CentralCounters {
    const forward = <M extends Method>(method: M, input: Arguments[M][0]) =>
      ask(store, { method, input } as Call) as ReturnType<CentralCounters[M]>
    return {
      take: (entries) => forward('take', entries),
      adjust: (entries) => forward('adjust', entries),
      lease: (requests) => forward('lease', requests),
      settle: (parts) => forward('settle', parts),
      renew: () => forward('renew', undefined),
      forget: () => forward('forget', undefined),
      read: (keys) => forward('read', keys),
      close: () => Promise.resolve(),
    }
  }

  return {
    open: forwarder,
    connect(sender) {
      send = sender
    },
    disconnect(lost) {
      if (send === lost) send = null
      for (const [number, { sender, reject }] of waiting) {
        if (sender !== lost) continue
        waiting.delete(number)
        reject(new Error('the control plane is gone'))
      }
    },
    answer({ number, result, failed }) {
      const entry = waiting.get(number)
      waiting.delete(number)
      if (failed) entry?.reject(new Error('the store of counters could not be reached'))
      else entry?.resolve(result)
    },
  }
}

export type CounterStores = { readonly [Store in CounterStoreName]: CentralCounters | null }

function run(counters: CentralCounters, call: Call): Promise<unknown> {
  switch (call.method) {
    case 'take':
      return counters.take(call.input)
    case 'adjust':
      return counters.adjust(call.input)
    case 'lease':
      return counters.lease(call.input)
    case 'settle':
      return counters.settle(call.input)
    case 'read':
      return counters.read(call.input)
    case 'renew':
      return counters.renew()
    case 'forget':
      return counters.forget()
  }
}

/** The control plane's side: carries requests of any worker to the stores. */
export async function serveCounters(
  stores: CounterStores,
  request: CountersRequest,
): Promise<CountersAnswer> {
  const answer = { type: 'counters-answer', number: request.number } as const
  const counters = stores[request.store]
  if (counters === null) return { ...answer, result: null, failed: true }
  try {
    return { ...answer, result: await run(counters, request.call), failed: false }
  } catch {
    return { ...answer, result: null, failed: true }
  }
}
