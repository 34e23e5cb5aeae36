/** Many streams at once, each read as it comes: how many arrive whole, how late each chunk is, what a window costs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { streamBody } from './bodies.ts'
import { type Endpoint, openCaller, requestBytes } from './call.ts'

export interface StreamLoad {
  readonly endpoint: Endpoint
  readonly streams: number
  /** Chunks of each stream; with `everyMs` this is how long a stream lasts. */
  readonly chunks: number
  readonly everyMs: number
  /** Called when all streams have begun; the window that counts lasts until the promise settles. */
  readonly window: () => Promise<void>
  /** False: the streams are cut after the window instead of being read to their end. */
  readonly toTheEnd: boolean
}

export interface StreamResult {
  readonly begun: number
  /** Streams that ended without their end, or with another status than 200. */
  readonly broken: number
  readonly ended: number
  /** Within the window. */
  readonly chunks: number
  /** Microseconds from the upstream's write to the caller's read, of chunks in the window. */
  readonly delaysUs: readonly number[]
}

const startPerTurn = 20
const beginWithinMs = 20_000

export async function holdStreams(load: StreamLoad): Promise<StreamResult> {
  const caller = openCaller(load.endpoint)
  const bytes = requestBytes(load.endpoint, streamBody(load.chunks, load.everyMs))
  const delaysUs: number[] = []
  let begun = 0
  let broken = 0
  let ended = 0
  let counting = false
  let closing = false
  const events = {
    first: () => {
      begun += 1
    },
    chunk: (delayUs: number) => {
      if (counting) delaysUs.push(delayUs)
    },
    end: (status: number) => {
      if (status === 200) ended += 1
      else broken += 1
    },
    broken: () => {
      if (!closing) broken += 1
    },
  }
  for (let at = 0; at < load.streams; at += 1) {
    caller.call(bytes, events)
    if (at % startPerTurn === startPerTurn - 1) await sleep(5)
  }
  const begin = performance.now()
  while (begun + broken < load.streams && performance.now() - begin < beginWithinMs) await sleep(10)
  await sleep(300)
  counting = true
  await load.window()
  counting = false
  if (load.toTheEnd) {
    const deadline = performance.now() + load.chunks * load.everyMs + beginWithinMs
    while (ended + broken < load.streams && performance.now() < deadline) await sleep(20)
    broken = load.streams - ended
  }
  closing = true
  caller.close()
  return { begun, broken, ended, chunks: delaysUs.length, delaysUs }
}
