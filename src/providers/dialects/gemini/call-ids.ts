/**
 * Gemini matches a function's response to its call by name and order where it gives no ids; other dialects need
 * an id on both. Ids made here depend only on what was read, so the same bytes give the same ids.
 * Bound: one entry a call of the message list, which the body limit bounds.
 */
export interface CallIds {
  /** The id of the next call: its own, or a made one. */
  call(name: string, id: string | undefined): string
  /** The id of the call that a response answers: its own, or the oldest open call of that name. */
  answer(name: string, id: string | undefined): string
}

export function callIds(prefix: string): CallIds {
  const open = new Map<string, string[]>()
  let made = 0
  function make(): string {
    const id = `${prefix}${made}`
    made += 1
    return id
  }
  return {
    call(name, id) {
      const own = id ?? make()
      const waiting = open.get(name)
      if (waiting === undefined) open.set(name, [own])
      else waiting.push(own)
      return own
    },
    answer(name, id) {
      const waiting = open.get(name) ?? []
      if (id === undefined) return waiting.shift() ?? make()
      const at = waiting.indexOf(id)
      if (at >= 0) waiting.splice(at, 1)
      return id
    },
  }
}

/** For requests. */
export const requestPrefix = 'call_'

/** For a response: its id, as far as every dialect takes its characters, keeps the ids of later turns apart. */
export function responsePrefix(responseId: string): string {
  return `call_${responseId.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 40)}_`
}
