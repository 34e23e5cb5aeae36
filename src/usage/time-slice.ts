/** Cuts long work into slices, so that the control thread stays answerable. */

/** Milliseconds of work in one go. */
export const sliceMs = 4

export interface TimeSlice {
  /** True when the slice is used up: `await slice.rest()` before going on. Cheap enough for every 32 records. */
  isOver(): boolean
  rest(): Promise<void>
}

export function createTimeSlice(): TimeSlice {
  let started = performance.now()
  return {
    isOver: () => performance.now() - started >= sliceMs,
    rest: () =>
      new Promise((resolve) => {
        setImmediate(() => {
          started = performance.now()
          resolve()
        })
      }),
  }
}
