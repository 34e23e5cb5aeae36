/**
 * Guards: what is looked for in the texts of an exchange, where, and what then happens. A guard is data; `inspection/`
 * compiles it. A finding says what was seen and where, never the text itself.
 */

export const guardDetectors = ['secrets'] as const
export type GuardDetector = (typeof guardDetectors)[number]

/**
 * Where a text stands. `request`: what the caller sends and no other word fits. `tool-call`: arguments that a model
 * wrote, in an answer or sent back with the next request. `response`: text and reasoning of the model.
 */
export const guardPlaces = [
  'request',
  'system-prompt',
  'document',
  'tool-result',
  'tool-call',
  'response',
] as const
export type GuardPlace = (typeof guardPlaces)[number]

/** `allow` goes before all others: what it covers, no other guard acts on. */
export const guardActions = ['allow', 'flag', 'mask', 'block'] as const
export type GuardAction = (typeof guardActions)[number]

export const guardModes = ['enforce', 'shadow'] as const
/** `shadow` acts on nothing: what it would have done is told to operators alone. */
export type GuardMode = (typeof guardModes)[number]

export const guardStreamModes = ['cut', 'hold'] as const
/** On streams, `cut` holds back only what may yet become a finding; `hold` waits for the end of each part. */
export type GuardStreamMode = (typeof guardStreamModes)[number]

/** What happens to an exchange that cannot be inspected. */
export const guardFailures = ['closed', 'open'] as const
export type GuardFailure = (typeof guardFailures)[number]

/** Names or patterns with one trailing `*`; null: any. A guard applies where all that are set match. */
export interface GuardMatch {
  readonly applications: readonly string[] | null
  readonly products: readonly string[] | null
  readonly routes: readonly string[] | null
  readonly models: readonly string[] | null
  readonly keys: readonly string[] | null
}

export interface GuardTerms {
  /** Unique within the organization. */
  readonly name: string
  readonly detector: GuardDetector
  readonly places: readonly GuardPlace[]
  /** Rules of the detector, or patterns of them; null: all. */
  readonly rules: readonly string[] | null
  /** Findings below this score (0 to 1) are as good as none. */
  readonly threshold: number
  readonly action: GuardAction
  readonly mode: GuardMode
  readonly streaming: GuardStreamMode
  readonly onFailure: GuardFailure
}

/** A guard as the data plane sees it. Applications and products stand here by id. */
export interface GuardRule extends GuardTerms {
  readonly id: string
  readonly organizationId: string
  readonly match: GuardMatch
}

/** What one guard saw in one text: for operators. */
export interface GuardFinding {
  readonly guard: string
  readonly detector: string
  readonly rule: string
  readonly place: GuardPlace
  /** Path of the text (`messages[2].content`); names that no API has are `*`. Empty on streams. */
  readonly at: string
  /** UTF-16 places in that text as it was sent. */
  readonly start: number
  readonly end: number
  readonly score: number
  readonly action: GuardAction
  readonly mode: GuardMode
}
