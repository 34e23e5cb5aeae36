/**
 * Common header names, found by a hash that the scanner computes on its way, so that a known name in any case
 * costs no string. Assumes lower-case ASCII names. Bound: the fixed list below; a slot that two names share
 * keeps the first, the other is sliced like an unknown name.
 */
export type FramingField = 'host' | 'content-length' | 'transfer-encoding' | 'connection' | 'expect'

export interface KnownName {
  readonly name: string
  /** 0: plain header; else the framing field's number in `framingFields`, from 1. */
  readonly framing: number
}

export const framingFields = {
  host: 1,
  'content-length': 2,
  'transfer-encoding': 3,
  connection: 4,
  expect: 5,
} as const satisfies Record<FramingField, number>

const plainNames = [
  'accept',
  'accept-encoding',
  'accept-language',
  'access-control-allow-origin',
  'age',
  'alt-svc',
  'anthropic-beta',
  'anthropic-version',
  'api-key',
  'authorization',
  'cache-control',
  'cf-cache-status',
  'cf-ray',
  'content-encoding',
  'content-type',
  'cookie',
  'date',
  'etag',
  'forwarded',
  'idempotency-key',
  'keep-alive',
  'openai-organization',
  'openai-processing-ms',
  'openai-project',
  'openai-version',
  'origin',
  'referer',
  'request-id',
  'retry-after',
  'server',
  'set-cookie',
  'strict-transport-security',
  'te',
  'traceparent',
  'tracestate',
  'trailer',
  'upgrade',
  'user-agent',
  'vary',
  'via',
  'x-api-key',
  'x-content-type-options',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-goog-api-key',
  'x-ratelimit-limit-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-requests',
  'x-ratelimit-reset-tokens',
  'x-request-id',
  'x-stainless-arch',
  'x-stainless-lang',
  'x-stainless-os',
  'x-stainless-package-version',
  'x-stainless-retry-count',
  'x-stainless-runtime',
  'x-stainless-runtime-version',
  'x-stainless-timeout',
]

const slotMask = 2047

/** One step of the name hash; start from 0 and feed lower-case bytes. */
export function hashStep(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0
}

function hashOf(name: string): number {
  let hash = 0
  for (let index = 0; index < name.length; index += 1) hash = hashStep(hash, name.charCodeAt(index))
  return hash
}

function buildSlots(): readonly (KnownName | null)[] {
  const table = new Array<KnownName | null>(slotMask + 1).fill(null)
  const known: KnownName[] = [
    ...Object.entries(framingFields).map(([name, framing]) => ({ name, framing })),
    ...plainNames.map((name) => ({ name, framing: 0 })),
  ]
  for (const entry of known) {
    const slot = hashOf(entry.name) & slotMask
    table[slot] ??= entry
  }
  return Object.freeze(table)
}

const slots = buildSlots()

/** The entry that may be meant; the caller compares the bytes. */
export function candidateName(hash: number): KnownName | null {
  return slots[hash & slotMask] ?? null
}

/** For names that were sliced: 0, or the number of the framing field. */
export function framingOf(name: string): number {
  return Object.hasOwn(framingFields, name) ? framingFields[name as FramingField] : 0
}
