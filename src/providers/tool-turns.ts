/**
 * Dialects that put tool results into user messages (Anthropic, Gemini, Bedrock) against the canonical form, where
 * they stand in messages of their own. Reading splits such a message, marking its pieces by a note of shape in
 * `native` (field `role`, which the canonical form carries, so no caller's field can collide): `open` when the next
 * piece belongs to the same wire message, `closed` when it does not.
 */
import type { Message, Native, Part } from '../domain/canonical.ts'
import type { DialectId } from '../domain/dialect-id.ts'
import type { JsonObject } from '../domain/json.ts'
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
export function isOpen(message: Message, fields: JsonObject): boolean {
  const mark = fields['role']
  return mark === 'open' || (message.role === 'tool' && mark !== 'closed')
}
