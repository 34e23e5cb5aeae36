/**
 * The process log: one JSON object per line, printable ASCII alone. An entry is written from a list of known fields;
 * whatever else an object carries stays out. Codes and ids that are not of their form are left out too, texts are
 * cut, and everything outside printable ASCII is escaped, so that nothing a caller sent can end a line, forge one,
 * or steer a terminal. Bound: 2,000 characters of text.
 */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error'
  /** `area.reason`, as in the catalogue of faults where it is one. */
  readonly code: string
  readonly text: string
  readonly requestId?: string
}

export type Log = (entry: LogEntry) => void

const maxTextLength = 2000
const codePattern = /^[a-z0-9][a-z0-9.-]{0,63}$/
const idPattern = /^[A-Za-z0-9_-]{1,64}$/
const levels: ReadonlySet<string> = new Set(['info', 'warn', 'error'])

/** The line of an entry, with its line break. @param time Unix milliseconds */
export function formatLogEntry(entry: LogEntry, time: number): string {
  const { level, code, requestId } = entry
  const fields = {
    time: new Date(time).toISOString(),
    level: levels.has(level) ? level : 'error',
    code: codePattern.test(code) ? code : 'log.unknown-code',
    ...(requestId !== undefined && idPattern.test(requestId) ? { requestId } : {}),
    text: entry.text.length > maxTextLength ? `${entry.text.slice(0, maxTextLength)}…` : entry.text,
  }
  // JSON.stringify escapes control characters below space; the rest of what moves a cursor or a line follows here.
  return `${JSON.stringify(fields).replace(/[^ -~]/g, escapeUnit)}\n`
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** A log that hands whole lines to `write`. */
export function createLog(write: (line: string) => void, now: () => number): Log {
  return (entry) => write(formatLogEntry(entry, now()))
}
