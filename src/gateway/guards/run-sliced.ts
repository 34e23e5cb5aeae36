/**
 * Work that gives way: a generator is run until it is done, or for one slice at a time, with everything else of the
 * worker in between. What takes less than a slice is done at once.
 */
const sliceMs = 2

/** `done` is called with what the work comes to, `failed` with what it throws; at once where one slice is enough. */
export function runSliced<T>(
  work: Generator<void, T>,
  outcome: { readonly done: (result: T) => void; readonly failed: (error: unknown) => void },
): () => void {
  let stopped = false
  const slice = (): void => {
    if (stopped) return
    const end = performance.now() + sliceMs
    let step: IteratorResult<void, T>
    try {
      do step = work.next()
      while (step.done !== true && performance.now() < end)
    } catch (error) {
      return outcome.failed(error)
    }
    if (step.done === true) outcome.done(step.value)
    else setImmediate(slice)
  }
  slice()
  return () => {
    stopped = true
  }
}
