/**
 * Dialects that put tool results into user messages (Anthropic, Gemini, Bedrock) against the canonical form, where
 * they stand in messages of their own. Reading splits such a message, marking its pieces by a note of shape in
 * `native` (field `role`, which the canonical form carries, so no caller's field can collide): `open` when the next
 * piece belongs to the same wire message, `closed` when it does not.
 */
import type { CanonicalRequest, Message, Native, Part } from '../domain/canonical.ts'
import type { DialectId } from '../domain/dialect-id.ts'
import type { JsonObject } from '../domain/json.ts'
import { callerPart } from './caller-fields.ts'
import { type NativeTarget, nativeFields } from './native.ts'
import { present } from './reading.ts'

/** `native` with further fields; either may be absent. */
export function withNote(
  native: Native | undefined,
  note: JsonObject | undefined,
  origin: { readonly dialect: DialectId; readonly at: string },
): Native | undefined {
  if (note === undefined) return native
  return { ...origin, fields: native === undefined ? note : { ...native.fields, ...note } }
}

export interface WireTurn {
  readonly dialect: DialectId
  readonly role: 'user' | 'assistant'
  readonly parts: readonly Part[]
  readonly native: Native | undefined
  /** Path of the message. */
  readonly at: string
}

/** Runs of tool results become tool messages; a turn without any is one message. */
export function splitToolResults(turn: WireTurn): Message[] {
  const runs: { role: Message['role']; parts: Part[] }[] = []
  for (const part of turn.parts) {
    const role = part.type === 'tool-result' ? 'tool' : turn.role
    const last = runs.at(-1)
    if (last?.role === role) last.parts.push(part)
    else runs.push({ role, parts: [part] })
  }
  if (runs.length === 0) runs.push({ role: turn.role, parts: [] })
  return runs.map(({ role, parts }, index) => {
    const open = index < runs.length - 1
    const mark = open ? { role: 'open' } : role === 'tool' ? { role: 'closed' } : undefined
    const native = withNote(index === 0 ? turn.native : undefined, mark, turn)
    return present<Message>({ role, parts, native, at: turn.at })
  })
}

/**
 * True when the next user or tool message belongs to the same wire message; `fields` are the message's own native
 * fields. Without a note of the same dialect, tool results join what follows them.
 */
function isOpen(message: Message, fields: JsonObject): boolean {
  const mark = fields['role']
  return mark === 'open' || (message.role === 'tool' && mark !== 'closed')
}

/** A wire message under construction. */
export interface Turn<Block> {
  readonly role: 'user' | 'assistant' | 'system'
  readonly blocks: Block[]
  /** Native fields of the message that began the turn. */
  readonly fields: JsonObject
  /** The next user or tool message belongs to the same wire message. */
  open: boolean
}

export interface TurnWriting<Block> {
  readonly request: CanonicalRequest
  readonly target: NativeTarget
  /** Messages that are written elsewhere (the system prompt). */
  skips(message: Message): boolean
  write(message: Message, index: number): Block[]
  /** Whether a message of the same role as the turn before it joins that turn. */
  joins(last: Turn<Block>, message: Message): boolean
}

/** Messages → wire messages: tool results become user blocks; a message of which nothing is left is left out. */
export function writeTurns<Block>(writing: TurnWriting<Block>): Turn<Block>[] {
  const { request, target } = writing
  const turns: Turn<Block>[] = []
  for (const [index, message] of request.messages.entries()) {
    if (writing.skips(message)) continue
    const fields = nativeFields(message.native, 'message', target)
    if (message.name !== undefined) {
      target.downgrade({
        field: `${callerPart(request, index)}.name`,
        reason: 'participants have no names here',
      })
    }
    const blocks = writing.write(message, index)
    if (blocks.length === 0 && message.parts.length > 0) continue
    const role = message.role === 'tool' ? 'user' : message.role
    const open = isOpen(message, fields)
    const last = turns.at(-1)
    if (last !== undefined && last.role === role && writing.joins(last, message)) {
      last.blocks.push(...blocks)
      last.open = open
    } else turns.push({ role, blocks, fields, open })
  }
  return turns
}

export interface SystemWriting {
  readonly request: CanonicalRequest
  readonly target: NativeTarget
  /** The caller speaks the target's dialect: nothing moves, so nothing is reported. */
  readonly same: boolean
  /** System messages that stay among the messages. */
  stays(message: Message): boolean
}

/** The system messages that make up the system prompt, with their indices; those in mid conversation are reported. */
export function systemMessages({
  request,
  target,
  same,
  stays,
}: SystemWriting): (readonly [Message, number])[] {
  const out: (readonly [Message, number])[] = []
  let begun = false
  for (const [index, message] of request.messages.entries()) {
    if (message.role !== 'system' || stays(message)) {
      begun = true
      continue
    }
    if (begun && !same) {
      target.downgrade({
        field: callerPart(request, index),
        reason: 'an instruction in mid conversation was moved to the system prompt',
      })
    }
    out.push([message, index])
  }
  return out
}
