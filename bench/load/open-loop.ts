/**
 * Requests at a fixed rate, whatever the answers do (open loop): each latency counts from the moment at which the
 * request was due, so a stall is charged to every request that it delays.
 */
import { type Endpoint, openCaller, requestBytes } from './call.ts'

export interface OpenLoopLoad {
  readonly endpoint: Endpoint
  readonly body: string
  readonly perSecond: number
  readonly durationMs: number
}

/** Milliseconds to the first byte of each answer's body, and how many calls did not end with 200. */
export interface OpenLoopResult {
  readonly latencies: readonly number[]
  readonly failed: number
}

/** Connections opened and paths warmed before the clock starts. */
const warmUpCalls = 32
const settleMs = 15_000

export async function runOpenLoop(load: OpenLoopLoad): Promise<OpenLoopResult> {
  const caller = openCaller(load.endpoint)
  const bytes = requestBytes(load.endpoint, load.body)
  const latencies: number[] = []
  let failed = 0
  let open = 0

  function ask(due: number, keep: boolean): void {
    let first = 0
    open += 1
    caller.call(bytes, {
      first: () => {
        first = performance.now()
      },
      end: (status) => {
        open -= 1
        if (status !== 200) failed += 1
        else if (keep) latencies.push(first - due)
      },
      broken: () => {
        open -= 1
        failed += 1
      },
    })
  }

  for (let at = 0; at < warmUpCalls; at += 1) {
    ask(performance.now(), false)
    await nextTurn(performance.now() + 4)
  }
  const interval = 1000 / load.perSecond
  const start = performance.now() + 20
  const total = Math.floor(load.durationMs / interval)
  for (let at = 0; at < total; at += 1) {
    const due = start + at * interval
    await nextTurn(due)
    ask(due, true)
  }
  const deadline = performance.now() + settleMs
  while (open > 0 && performance.now() < deadline) await nextTurn(performance.now() + 5)
  failed += open
  caller.close()
  return { latencies, failed }
}

/** Resolve at `due`: asleep until a little before, then turn by turn, because timers are coarse. */
function nextTurn(due: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (performance.now() >= due) resolve()
      else setImmediate(look)
    }
    const early = due - performance.now() - 1.2
    if (early >= 1) setTimeout(look, early)
    else look()
  })
}
