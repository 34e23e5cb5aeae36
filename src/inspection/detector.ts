/**
 * What a detector is: a scan over one piece of text that knows what it cannot decide yet. A whole text is a piece
 * with nothing behind it, so streams and whole texts are judged by the same code.
 *
 *        from                     settled          end of the piece
 *   ─────┼────────── decided ────────┼── may yet become a match ──┤
 *   context (at most one character)    at most `holdBack`
 */

/** Which forms of a text a detector is shown. `folded`: as it reads (fold-text.ts). `decoded`: what is encoded in it. */
export type ViewKind = 'folded' | 'decoded'

/** Takes what follows a match whose end is not fixed: how far it goes in `text` from `at`. Stateful, used once. */
export interface Continuation {
  /** One past its last character; the end of `text` where it may go on beyond it. */
  consume(text: string, at: number): number
}

export interface Match {
  readonly rule: string
  readonly score: number
  readonly start: number
  readonly end: number
}

export interface Scan {
  /** In order, not overlapping. */
  readonly matches: readonly Match[]
  /** Nothing before it can become part of a further match. */
  readonly settled: number
  /** The last match reaches the end of the piece and may go on; null: all have ended. */
  readonly open: Continuation | null
}

export interface Piece {
  readonly text: string
  /** What stands before is context, and was decided earlier. */
  readonly from: number
  /** Nothing follows. */
  readonly isLast: boolean
}

export interface Detector {
  readonly id: string
  /** Changes with every change of what is found: verdicts of another version are not used. */
  readonly version: number
  readonly views: readonly ViewKind[]
  /** Most characters at the end of a piece that are not decided. */
  readonly holdBack: number
  /** Every rule, for whoever configures them. */
  readonly rules: readonly string[]
  scan(piece: Piece): Scan
}
