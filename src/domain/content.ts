/**
 * Request and response content of one exchange, kept only where the configuration asks for it (`contentLog`), and at
 * rest only sealed.
 */
export interface ContentBody {
  /** As declared; empty where nothing was. */
  readonly contentType: string
  /** Size of the whole body; `kept` is shorter where the bound cut it, or where it was streamed through. */
  readonly bytes: number
  readonly kept: Uint8Array
}

export interface ContentRecord {
  /** Request id. */
  readonly id: string
  /** Unix milliseconds at which the request began. */
  readonly time: number
  readonly organizationId: string
  readonly applicationId: string
  readonly keyId: string
  readonly operation: string
  readonly model: string
  /** HTTP status sent to the caller; 0 where none was. */
  readonly status: number
  readonly request: ContentBody
  readonly response: ContentBody
}

/** How much content is kept. */
export interface ContentLogBounds {
  /** Bytes of one body. */
  readonly maxBytes: number
}
