/**
 * Carries out the steps of a sandbox over time, with pause, resume and abort. Steps are drawn one by one, so a paused
 * or abandoned answer costs nothing further. After 64 steps in a row the event loop gets its turn.
 */
import type { Step } from './steps.ts'

export interface StepSink {
  head(status: number, headers: readonly string[]): void
  data(bytes: Buffer): void
  end(): void
  reset(): void
  refuse(): void
}

export interface Play {
  pause(): void
  resume(): void
  /** Stop; nothing further is called. */
  abort(): void
}

const stepsPerTurn = 64

/** Plays `steps` into `sink`, from the next turn of the event loop on. */
export function playSteps(steps: Iterator<Step>, sink: StepSink): Play {
  let paused = false
  let over = false
  let timer: NodeJS.Timeout | undefined
  let scheduled: NodeJS.Immediate | undefined

  /** Carries out one step; true: the next may follow at once. */
  function carryOut(step: Step): boolean {
    switch (step.type) {
      case 'wait':
        timer = setTimeout(() => {
          timer = undefined
          schedule()
        }, step.ms)
        return false
      case 'head':
        sink.head(step.status, step.headers)
        return true
      case 'data':
        sink.data(step.bytes)
        return true
      case 'hang':
        return false
      case 'end':
      case 'reset':
      case 'refuse':
        over = true
        sink[step.type]()
        return false
    }
  }

  function run(): void {
    scheduled = undefined
    for (let count = 0; count < stepsPerTurn; count += 1) {
      if (paused || over) return
      const next = steps.next()
      if (next.done === true || !carryOut(next.value)) return
    }
    schedule()
  }

  function schedule(): void {
    if (scheduled === undefined && timer === undefined && !over) scheduled = setImmediate(run)
  }

  schedule()
  return {
    pause: () => {
      paused = true
    },
    resume: () => {
      if (!paused) return
      paused = false
      schedule()
    },
    abort: () => {
      over = true
      clearTimeout(timer)
      clearImmediate(scheduled)
      steps.return?.()
    },
  }
}
