/**
 * Port: keeps whole answers for requests that come again. What the key of an answer is made of, who may have it and
 * what is whole enough to be kept is decided by its user; a cache may forget anything at any time. Callback style: it
 * lies on the request path of the routes that have it.
 */

/** Who gave an answer: it may be given again only while the same could be asked. */
export interface ResponseSource {
  readonly deploymentId: string
  readonly host: string
  readonly region: string | null
  /** Model at the provider. */
  readonly model: string
}

export interface CachedResponse {
  readonly status: number
  /** Flat name, value list. */
  readonly headers: readonly string[]
  readonly body: Uint8Array
  /** Unix milliseconds. */
  readonly answeredAt: number
  readonly source: ResponseSource
}

export interface ResponseCache {
  /** `done` is called exactly once; null: nothing is there, or its time is over, or the cache cannot say. */
  find(key: string, done: (found: CachedResponse | null) => void): void
  /** Keep until `ttlMs` after `answeredAt`, or until room is needed; too large: not at all. */
  keep(key: string, response: CachedResponse, ttlMs: number): void
}
