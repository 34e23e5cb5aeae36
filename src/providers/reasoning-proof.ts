/**
 * Signatures and encrypted reasoning mean something only to the provider that made them, yet callers of another
 * dialect must carry them through their own fields and send them back. So a proof that leaves for a foreign caller
 * is tagged with its maker, and a proof that goes to a provider is sent only when that provider can have made it.
 *
 *   maker → [tag] → caller of another dialect → [untag] → the same maker, or dropped with a downgrade
 */
import type { CanonicalRequest, Native, ReasoningPart } from '../domain/canonical.ts'
import { type DialectId, dialectIds } from '../domain/dialect-id.ts'

const prefix = 'gatewright.'

/** Claude's signatures are valid on every platform that serves it (Anthropic API, "Extended thinking"). */
const sameMaker: Readonly<Partial<Record<DialectId, DialectId>>> = {
  'bedrock-converse': 'anthropic-messages',
}

function makerOf(dialect: DialectId): DialectId {
  return sameMaker[dialect] ?? dialect
}

/** For a response: the proof as a caller of `to` must carry it. `native` says who made it; unknown makers and empty proofs stay untagged. */
export function tagProof(
  proof: string | undefined,
  native: Native | undefined,
  to: DialectId,
): string | undefined {
  if (proof === undefined || native === undefined || makerOf(native.dialect) === makerOf(to)) return proof
  if (proof === '') return undefined
  return `${prefix}${makerOf(native.dialect)}:${proof}`
}

export interface Proofs {
  readonly signature: string | undefined
  readonly encrypted: string | undefined
}

/** For a request to a provider of `to`: the proofs that it can have made, without their tags. */
export function proofsFor(part: ReasoningPart, caller: CanonicalRequest['dialect'], to: DialectId): Proofs {
  return {
    signature: untag(given(part.signature, caller, to), to, sends(caller, to) || !signs(caller)),
    encrypted: untag(given(part.encrypted, caller, to), to, sends(caller, to)),
  }
}

/** An empty proof is none, but stays what it is on the way to its own dialect. */
function given(
  proof: string | undefined,
  caller: CanonicalRequest['dialect'],
  to: DialectId,
): string | undefined {
  return proof === '' && caller !== to ? undefined : proof
}

/** Untagged proofs come from a provider of the caller's own dialect. */
function sends(caller: CanonicalRequest['dialect'], to: DialectId): boolean {
  return caller !== undefined && makerOf(caller) === makerOf(to)
}

/** OpenAI's own reasoning is encrypted, never signed: a signature from its callers is another provider's. */
function signs(caller: CanonicalRequest['dialect']): boolean {
  return caller !== undefined && caller !== 'openai-chat' && caller !== 'openai-responses'
}

function untag(proof: string | undefined, to: DialectId, acceptUntagged: boolean): string | undefined {
  if (proof === undefined) return undefined
  const maker = dialectIds.find((dialect) => proof.startsWith(`${prefix}${dialect}:`))
  if (maker === undefined) return acceptUntagged ? proof : undefined
  return maker === makerOf(to) ? proof.slice(prefix.length + maker.length + 1) : undefined
}

export const foreignProof = 'reasoning without a signature of the provider cannot be sent back'
