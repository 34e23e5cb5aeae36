/**
 * A streamed answer under the guards of its exchange, as canonical events: so it serves every dialect. Text, reasoning
 * and tool-call arguments are each looked at as one text per part of each choice, however their deltas are cut.
 *
 * Where a guard blocks, all choices end with `content-filter` and nothing more comes. Log probabilities repeat the
 * text token by token: they are left out where an answer may be changed.
 */
import type { CanonicalEvent, Native } from '../domain/canonical.ts'
import type { GuardFinding, GuardPlace } from '../domain/guards.ts'
import type { GuardSet, PlaceGuards } from './guard-set.ts'
import { type GuardedText, guardText, type Passed } from './guarded-text.ts'
import { clean, TextJudge, type Verdict } from './judge-text.ts'

type Emit = (event: CanonicalEvent) => void
type EventOf<T extends CanonicalEvent['type']> = Extract<CanonicalEvent, { readonly type: T }>

export interface StreamInspector {
  push(event: CanonicalEvent, emit: Emit): void
  /** The guard that ended the answer; null: none did. */
  readonly blockedBy: string | null
}

interface OpenPart {
  readonly choice: number
  readonly part: number
  /** Null: no guard looks at it. */
  readonly text: GuardedText | null
}

export function inspectStream(guards: GuardSet, tell: (finding: GuardFinding) => void): StreamInspector {
  return new EventInspector(guards, (finding) => tell({ ...finding, at: '' }))
}

/** Choices and parts of one answer that are told apart; an answer with more does not pass. */
const mostOpenParts = 512

class EventInspector implements StreamInspector {
  readonly #guards: GuardSet
  readonly #tell: (finding: Omit<GuardFinding, 'at'>) => void
  readonly #open = new Map<string, OpenPart>()
  /** Choices that began and have not finished. */
  readonly #choices = new Set<number>()
  /** Parts that are left out whole. */
  readonly #dropped = new Set<string>()
  #usage: EventOf<'usage'> | null = null
  #hasBegun = false
  blockedBy: string | null = null

  constructor(guards: GuardSet, tell: (finding: Omit<GuardFinding, 'at'>) => void) {
    this.#guards = guards
    this.#tell = tell
  }

  push(event: CanonicalEvent, emit: Emit): void {
    if (this.blockedBy !== null) return
    if ('part' in event && this.#dropped.has(`${event.choice} ${event.part}`)) return
    const own = this.#withoutForeign(event, emit)
    if (own === null) return
    switch (own.type) {
      case 'part-start':
        return this.#begin(own, emit)
      case 'delta':
        return this.#take(own, emit)
      case 'part-end':
        return this.#endPart(own, emit)
      case 'finish':
        this.#flush(emit, own.choice)
        this.#choices.delete(own.choice)
        break
      case 'usage':
        this.#usage = own
        break
      case 'error':
      case 'end':
        this.#flush(emit, null)
        break
      case 'start':
        this.#hasBegun = true
    }
    if (this.blockedBy === null) emit(own)
  }

  /** What only its own dialect understands is looked at as it stands, and left out where something would be masked. */
  #withoutForeign(event: CanonicalEvent, emit: Emit): CanonicalEvent | null {
    const native = 'native' in event ? event.native : undefined
    const guards = this.#guards.places.get('response')
    if (native === undefined || guards === undefined) return event
    const { blockedBy, masks, findings } = judgeNative(native, guards)
    for (const finding of findings) this.#tell(finding)
    if (blockedBy !== null) {
      this.#block(blockedBy, emit)
      return null
    }
    if (masks.length === 0) return event
    if (event.type === 'part-start' && event.kind === 'opaque') {
      if (this.#dropped.size >= mostOpenParts) this.#block('', emit)
      else this.#dropped.add(`${event.choice} ${event.part}`)
      return null
    }
    const { native: _left, ...rest } = event as Extract<CanonicalEvent, { native?: Native }>
    return rest as CanonicalEvent
  }

  #begin(event: EventOf<'part-start'>, emit: Emit): void {
    const { choice, part, kind } = event
    const place: GuardPlace = kind === 'tool-call' ? 'tool-call' : 'response'
    this.#add({ choice, part, place }, emit)
    if (this.blockedBy === null) emit(event)
  }

  #add(
    { choice, part, place }: { readonly choice: number; readonly part: number; readonly place: GuardPlace },
    emit: Emit,
  ): OpenPart {
    const guards = this.#guards.places.get(place)
    const text = guards === undefined ? null : guardText(guards, this.#tell)
    const open = { choice, part, text }
    this.#choices.add(choice)
    if (this.#open.size >= mostOpenParts) this.#block('', emit)
    else this.#open.set(`${choice} ${part}`, open)
    return open
  }

  #take(event: EventOf<'delta'>, emit: Emit): void {
    const { choice, part } = event
    const open = this.#open.get(`${choice} ${part}`) ?? this.#add({ choice, part, place: 'response' }, emit)
    if (open.text === null) return emit(event)
    const { logprobs: _left, ...rest } = event
    const passed = open.text.push(event.text, false)
    if (passed.text !== '') emit({ ...(this.#guards.changesAnswers ? rest : event), text: passed.text })
    this.#heed(passed, emit)
  }

  #endPart(event: EventOf<'part-end'>, emit: Emit): void {
    const name = `${event.choice} ${event.part}`
    const open = this.#open.get(name)
    if (open !== undefined) this.#finishText(open, emit)
    if (this.blockedBy !== null) return
    this.#open.delete(name)
    emit(event)
  }

  /** What is held of parts that did not end before. */
  #flush(emit: Emit, choice: number | null): void {
    for (const [name, open] of this.#open) {
      if (choice !== null && open.choice !== choice) continue
      this.#finishText(open, emit)
      if (this.blockedBy !== null) return
      this.#open.delete(name)
    }
  }

  #finishText({ choice, part, text }: OpenPart, emit: Emit): void {
    if (text === null) return
    const passed = text.push('', true)
    if (passed.text !== '') emit({ type: 'delta', choice, part, text: passed.text })
    this.#heed(passed, emit)
  }

  #heed({ blockedBy, isTooLong }: Passed, emit: Emit): void {
    if (blockedBy !== null || isTooLong) this.#block(blockedBy ?? '', emit)
  }

  #block(by: string, emit: Emit): void {
    if (this.blockedBy !== null) return
    this.blockedBy = by
    if (!this.#hasBegun) emit({ type: 'start', id: '', model: '', created: 0 })
    for (const { choice, part } of this.#open.values()) emit({ type: 'part-end', choice, part })
    if (this.#choices.size === 0) this.#choices.add(0)
    for (const choice of this.#choices) emit({ type: 'finish', choice, stopReason: 'content-filter' })
    if (this.#usage !== null) emit(this.#usage)
    emit({ type: 'end' })
  }
}

const shortestNative = 24

function judgeNative({ fields }: Native, guards: PlaceGuards): Verdict {
  const text = JSON.stringify(fields)
  if (text.length < shortestNative) return clean
  const judge = new TextJudge(guards)
  judge.push(text, true)
  return judge.verdict()
}
