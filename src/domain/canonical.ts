/**
 * The canonical form: one neutral shape for a generation request, its response and its stream, in which every
 * dialect is read and from which every dialect is written.
 *
 * Two promises hold:
 * - A → canonical → A loses nothing. What the canonical form has no field for travels in `native`, tagged with
 *   the dialect it came from, and is put back when the target speaks the same dialect.
 * - A → canonical → B is never silently lossy. A writer meets `native` content of another dialect either by
 *   refusing (a fault that names the field) or by dropping it with a recorded downgrade.
 */
import type { DialectId } from './dialect-id.ts'
import type { JsonObject, JsonValue } from './json.ts'
import type { TokenUsage } from './usage.ts'

/** Fields that only one dialect knows, kept by their wire names for the way back. */
export interface Native {
  readonly dialect: DialectId
  readonly fields: JsonObject
  /** Path of the object that held the fields, in the caller's terms (`messages[2].content[0]`; `''` at the top). */
  readonly at?: string
}

export interface TextPart {
  readonly type: 'text'
  readonly text: string
  readonly native?: Native
}
/** Where media comes from. `file` refers to a file id at the provider. */
export type MediaSource =
  | { readonly kind: 'url'; readonly url: string; readonly mediaType?: string }
  | { readonly kind: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly kind: 'file'; readonly fileId: string; readonly mediaType?: string }
export interface ImagePart {
  readonly type: 'image'
  readonly source: MediaSource
  readonly detail?: string
  readonly native?: Native
}
export interface AudioPart {
  readonly type: 'audio'
  readonly source: MediaSource
  readonly native?: Native
}
export interface VideoPart {
  readonly type: 'video'
  readonly source: MediaSource
  readonly native?: Native
}
export interface DocumentPart {
  readonly type: 'document'
  readonly source: MediaSource
  readonly name?: string
  readonly native?: Native
}
export interface ToolCallPart {
  readonly type: 'tool-call'
  readonly id: string
  readonly name: string
  /** The arguments as JSON text, exactly as the model wrote them where the dialect carries text. */
  readonly arguments: string
  readonly native?: Native
}
export interface ToolResultPart {
  readonly type: 'tool-result'
  readonly callId: string
  /** Tool name where the dialect carries it (Gemini needs it; others look it up by `callId`). */
  readonly name?: string
  readonly content: readonly Part[]
  readonly isError?: boolean
  readonly native?: Native
}
export interface ReasoningPart {
  readonly type: 'reasoning'
  readonly text: string
  /** Opaque proof by the provider that the reasoning is its own; must be sent back unchanged. */
  readonly signature?: string
  /** Opaque encrypted reasoning; present instead of readable text. */
  readonly encrypted?: string
  readonly native?: Native
}
export interface RefusalPart {
  readonly type: 'refusal'
  readonly text: string
  readonly native?: Native
}
/** A block or item that only its own dialect understands (built-in tools, citations, code execution …). */
export interface OpaquePart {
  readonly type: 'opaque'
  readonly native: Native
}
export type Part =
  | TextPart
  | ImagePart
  | AudioPart
  | VideoPart
  | DocumentPart
  | ToolCallPart
  | ToolResultPart
  | ReasoningPart
  | RefusalPart
  | OpaquePart

/** `system` covers OpenAI's `system` and `developer`; `tool` holds only tool results. */
export type Role = 'system' | 'user' | 'assistant' | 'tool'
export interface Message {
  readonly role: Role
  readonly parts: readonly Part[]
  /** Participant name (OpenAI). */
  readonly name?: string
  /** Where the caller put it (`messages[2]`, `contents[1]`, `system`): for faults that name the caller's field. */
  readonly at?: string
  readonly native?: Native
}

export interface ToolDefinition {
  readonly name: string
  readonly description?: string
  /** JSON Schema of the arguments; absent when the tool takes none. */
  readonly parameters?: JsonObject
  readonly strict?: boolean
  readonly native?: Native
}
export type ToolChoice =
  | { readonly type: 'auto' }
  | { readonly type: 'none' }
  | { readonly type: 'required' }
  | { readonly type: 'tool'; readonly name: string }

export type OutputFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | {
      readonly type: 'json-schema'
      readonly name?: string
      readonly description?: string
      readonly schema: JsonObject
      readonly strict?: boolean
    }

export interface ReasoningOptions {
  readonly effort?: string
  readonly budgetTokens?: number
  /** Whether the caller asked to see reasoning (summaries or thoughts). */
  readonly visible?: boolean
  readonly disabled?: boolean
  readonly native?: Native
}

export interface SamplingOptions {
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly frequencyPenalty?: number
  readonly presencePenalty?: number
  readonly seed?: number
  /** Number of choices wanted; absent means 1. */
  readonly candidates?: number
  readonly logprobs?: boolean
  readonly topLogprobs?: number
}

export interface CanonicalRequest {
  /** The dialect that the caller spoke: faults and downgrades name fields in its terms. */
  readonly dialect?: DialectId
  readonly model: string
  /** In order; system messages stand where the caller put them. */
  readonly messages: readonly Message[]
  readonly tools: readonly ToolDefinition[]
  /** Vendor-run tools (web search, code execution …) as their dialect writes them. */
  readonly builtinTools: readonly OpaquePart[]
  readonly toolChoice?: ToolChoice
  readonly parallelToolCalls?: boolean
  readonly output?: OutputFormat
  readonly reasoning?: ReasoningOptions
  readonly sampling: SamplingOptions
  readonly maxOutputTokens?: number
  readonly stopSequences: readonly string[]
  readonly stream: boolean
  /** The caller asked for usage figures at the end of the stream (OpenAI's `stream_options.include_usage`). */
  readonly streamUsage?: boolean
  readonly endUser?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly serviceTier?: string
  /** Top-level fields with no canonical counterpart. */
  readonly native?: Native
}

/**
 * Why generation ended. `stop` natural end · `length` output cap · `tool-calls` the model waits for tool results ·
 * `stop-sequence` a caller's stop text · `content-filter` cut by a safety system · `refusal` the model declined ·
 * `pause` the provider paused a long turn · `error` broken off.
 */
export type StopReason =
  | 'stop'
  | 'length'
  | 'tool-calls'
  | 'stop-sequence'
  | 'content-filter'
  | 'refusal'
  | 'pause'
  | 'error'

export interface CanonicalChoice {
  readonly index: number
  readonly parts: readonly Part[]
  readonly stopReason: StopReason
  readonly stopSequence?: string
  /** Token log probabilities in OpenAI's shape, where asked for. */
  readonly logprobs?: JsonValue
  readonly native?: Native
}
export interface CanonicalResponse {
  readonly id: string
  readonly model: string
  /** Unix time, seconds. */
  readonly created: number
  readonly choices: readonly CanonicalChoice[]
  readonly usage?: TokenUsage
  readonly serviceTier?: string
  readonly native?: Native
}

/**
 * A stream as events, in this grammar, per choice index:
 *   start (part-start delta* part-end)* finish … usage? end
 * Parts never interleave within one choice unless the source interleaves them (parallel tool calls may);
 * `part` numbers parts within a choice from 0. `error` may stand anywhere and ends the stream.
 */
export type CanonicalEvent =
  | {
      readonly type: 'start'
      readonly id: string
      readonly model: string
      /** Unix time, seconds. */
      readonly created: number
      /** Figures known at the start (Anthropic's input tokens). */
      readonly usage?: TokenUsage
      readonly native?: Native
    }
  | {
      readonly type: 'part-start'
      readonly choice: number
      readonly part: number
      readonly kind: 'text' | 'reasoning' | 'refusal' | 'tool-call' | 'opaque'
      /** For `tool-call`. */
      readonly callId?: string
      readonly name?: string
      readonly native?: Native
    }
  | {
      readonly type: 'delta'
      readonly choice: number
      readonly part: number
      /** Text, reasoning, refusal or a fragment of the JSON text of tool arguments. */
      readonly text: string
      readonly logprobs?: JsonValue
      /** What stood beside the text in the same event of the source: bookkeeping, dropped by other dialects. */
      readonly native?: Native
    }
  | {
      readonly type: 'part-end'
      readonly choice: number
      readonly part: number
      readonly signature?: string
      readonly encrypted?: string
      readonly native?: Native
    }
  | {
      readonly type: 'finish'
      readonly choice: number
      readonly stopReason: StopReason
      readonly stopSequence?: string
      readonly native?: Native
    }
  | { readonly type: 'usage'; readonly usage: TokenUsage; readonly native?: Native }
  | { readonly type: 'error'; readonly error: CanonicalError }
  | { readonly type: 'end' }

/** Error kinds that every dialect has a word for. */
export type ErrorKind =
  | 'invalid-request'
  | 'authentication'
  | 'permission'
  | 'not-found'
  | 'too-large'
  | 'rate-limit'
  | 'quota'
  | 'content-filter'
  | 'overloaded'
  | 'timeout'
  | 'upstream'
  | 'internal'

/** An error on its way to a caller, before it takes the shape of a dialect. Holds public text only. */
export interface CanonicalError {
  readonly kind: ErrorKind
  /** HTTP status. */
  readonly status: number
  /** Stable machine code: a fault code, or the provider's own where a provider refused. */
  readonly code: string
  readonly message: string
  /** The field at fault, as a path in the caller's dialect (`messages[2].content[0]`). */
  readonly param?: string
  readonly requestId?: string
  readonly documentationUrl?: string
}
