/**
 * A fault is an error with a stable code, a public text and an internal text. The public text is what callers
 * read; the internal text goes to logs only and must hold no secret and no content.
 */
export interface FaultDefinition {
  /** Stable code, `area.reason` in kebab case. */
  readonly code: string
  /** HTTP status. */
  readonly status: number
  /** Kind in the words that every dialect knows. */
  readonly kind: string
  /** Public text; `{name}` stands for a parameter that is safe to show. */
  readonly text: string
  /** What the reader can do about it: one or two sentences for the documentation page. */
  readonly remedy: string
}

export interface FaultDetails {
  /** Fills `{name}` in the public text. Values are shown to the caller: never secrets, never internals. */
  readonly public?: Readonly<Record<string, string | number>>
  /** For logs only. */
  readonly internal?: string
  /** Path of the field at fault, in the caller's own terms. */
  readonly param?: string
  /** Seconds after which a new try makes sense (`Retry-After`). */
  readonly retryAfterSeconds?: number
  /** Methods that would be taken (`Allow`). */
  readonly allow?: readonly string[]
  /** Further headers of the answer, flat name, value list. */
  readonly headers?: readonly string[]
  readonly cause?: unknown
}

export class Fault extends Error {
  readonly definition: FaultDefinition
  readonly publicText: string
  readonly internalText: string
  readonly param: string | undefined
  readonly retryAfterSeconds: number | undefined
  readonly allow: readonly string[] | undefined
  readonly headers: readonly string[] | undefined

  constructor(definition: FaultDefinition, details: FaultDetails = {}) {
    const publicText = fill(definition.text, details.public)
    super(
      `${definition.code}: ${publicText}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    )
    this.name = 'Fault'
    this.definition = definition
    this.publicText = publicText
    this.internalText = details.internal ?? ''
    this.param = details.param
    this.retryAfterSeconds = details.retryAfterSeconds
    this.allow = details.allow
    this.headers = details.headers
  }

  get code(): string {
    return this.definition.code
  }

  get status(): number {
    return this.definition.status
  }
}

const maxShownLength = 200

function fill(text: string, values: FaultDetails['public']): string {
  if (values === undefined) return text
  return text.replace(/\{([a-zA-Z]+)\}/g, (whole, name: string) => {
    const value = values[name]
    return value === undefined ? whole : printable(String(value))
  })
}

/** Caller-chosen text that is echoed: control characters out, length bounded. */
function printable(value: string): string {
  const cut = value.length > maxShownLength ? `${value.slice(0, maxShownLength)}…` : value
  let out = ''
  for (const char of cut) {
    const code = char.codePointAt(0) ?? 0
    out +=
      code < 0x20 || code === 0x7f || (code >= 0x80 && code < 0xa0) || code === 0x2028 || code === 0x2029
        ? ' '
        : char
  }
  return out
}
