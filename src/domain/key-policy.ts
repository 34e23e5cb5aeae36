/**
 * What an organization or an application asks of its API keys. What is absent asks for nothing. Where both ask, the
 * stricter word holds, so that an application narrows what its organization allows and never widens it.
 */
export interface KeyPolicy {
  /** A key must expire, and no secret of it may be valid for longer than so many days. */
  readonly maxLifetimeDays?: number
  /** Each secret is to be replaced within so many days. */
  readonly rotateEveryDays?: number
  /** So many days before that, the owner is told. */
  readonly rotateWarnDays?: number
  /** What becomes of a key that was not rotated in time. */
  readonly whenRotationOverdue?: 'warn' | 'refuse'
  /** A key that nobody used for so many days is put into quarantine. */
  readonly unusedDays?: number
  /** A key must be bound to source networks. */
  readonly networks?: 'required'
}

export const keyPolicyDefaults = Object.freeze({ rotateWarnDays: 7, whenRotationOverdue: 'warn' } as const)

/** Why a key is held. */
export const quarantineReasons = ['leaked', 'unused', 'by-hand'] as const
export type QuarantineReason = (typeof quarantineReasons)[number]

/** Holds a key: it is refused until an administrator lets it go. */
export interface KeyQuarantine {
  /** Unix milliseconds. */
  readonly at: number
  readonly reason: QuarantineReason
}

/** One report that the key was seen where it does not belong. */
export interface KeyLeak {
  /** SHA-256 of what was reported, hexadecimal: the same report again says nothing new. */
  readonly digest: string
  /** When the report came, Unix milliseconds. */
  readonly at: number
  /** Who reported it: `github`, or the name of a reporter of the configuration. */
  readonly reporter: string
  /** Where it was seen, as the reporter says; empty: it did not say. */
  readonly url: string
  /** What kind of place that is, as the reporter says. */
  readonly source: string
}

/** Reports kept of one key. What comes beyond them still puts it into quarantine. */
export const maxKeyLeaks = 32
