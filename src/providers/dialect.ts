/**
 * What a dialect must be able to do, each way through the canonical form. All functions are pure; streams are
 * explicit state machines that are fed bytes or events and hold a bounded buffer.
 *
 * Readers take what a caller or a provider sent (parsed JSON, untrusted): they throw a `Fault`
 * (`faults.invalidField` / `missingField` with `param`) on a malformed request, and are lenient on responses
 * (unknown fields go to `native`). Writers throw `faults.cannotExpress` naming the caller's field where the target
 * has no word for something that changes meaning, and call `ctx.downgrade` where only a hint is lost.
 */
import type {
  CanonicalError,
  CanonicalEvent,
  CanonicalRequest,
  CanonicalResponse,
} from '../domain/canonical.ts'
import type { DialectId } from '../domain/dialect-id.ts'
import type { JsonObject } from '../domain/json.ts'
import type { ProviderQuirks } from '../domain/provider.ts'
import type { TokenUsage } from '../domain/usage.ts'

/** A visible loss: reported to the caller in `x-gatewright-downgrades` and listed in the dialect reference. */
export interface Downgrade {
  /** The caller's field. */
  readonly field: string
  /** Short reason, public. */
  readonly reason: string
}

export interface WriteRequestContext {
  /** Model name at the provider; replaces `request.model`. */
  readonly model: string
  /** Spellings of the provider's own (openai-chat). */
  readonly quirks?: Pick<ProviderQuirks, 'maxTokensField' | 'renameFields'>
  readonly downgrade: (downgrade: Downgrade) => void
}

export interface ReadRequestContext {
  /** Model from the path, for dialects whose body has none (gemini, bedrock). */
  readonly model?: string
  /** The operation is a stream whatever the body says (gemini's streamGenerateContent). */
  readonly stream?: boolean
}

export interface WriteResponseContext {
  /** Model name to show: the public name that the caller asked for. */
  readonly model: string
  readonly downgrade: (downgrade: Downgrade) => void
  /** Unix time, seconds: shown where the provider gave none. */
  readonly created?: number
  /** Response id: shown where the provider gave none (bedrock). */
  readonly id?: string
  /** The request, for dialects whose responses echo it (openai-responses). */
  readonly request: CanonicalRequest
}

/** Bytes of an upstream stream → canonical events. */
export interface StreamReader {
  /** Feed bytes as they arrive, cut anywhere. Calls `emit` for each event, in order. */
  push(chunk: Uint8Array, emit: (event: CanonicalEvent) => void): void
  /** The upstream ended: emits what is outstanding, and `error` when the stream was cut short; always ends with `end`. */
  finish(emit: (event: CanonicalEvent) => void): void
}

/** Canonical events → bytes of a stream for the caller, in the order its official SDK demands. */
export interface StreamWriter {
  readonly contentType: string
  /** Text or bytes to send for this event; an empty string when it yields nothing yet. */
  write(event: CanonicalEvent): string | Uint8Array
}

export interface Dialect {
  readonly id: DialectId
  readRequest(body: JsonObject, ctx: ReadRequestContext): CanonicalRequest
  writeRequest(request: CanonicalRequest, ctx: WriteRequestContext): JsonObject
  readResponse(body: JsonObject): CanonicalResponse
  writeResponse(response: CanonicalResponse, ctx: WriteResponseContext): JsonObject
  streamReader(): StreamReader
  streamWriter(ctx: WriteResponseContext): StreamWriter
  /** An upstream error body (parsed JSON or undefined) of this dialect. Never throws. */
  readError(status: number, body: unknown): CanonicalError
  /** The error body as this dialect's SDKs expect it. */
  writeError(error: CanonicalError): JsonObject
  /** An error as the last event(s) of a stream that has begun. */
  writeStreamError(error: CanonicalError): string | Uint8Array
  /** Usage figures in a response body or a single stream event of this dialect; undefined where there are none. */
  readUsage(body: JsonObject): TokenUsage | undefined
}
