/** Tables for people: left-aligned columns, numbers to the right, nothing that would not survive a copy. */

export interface Column<T> {
  readonly head: string
  readonly align?: 'right'
  text(row: T): string
}

/** Characters that would move the cursor or colour the terminal are not printed. */
export function printable(text: string): string {
  let out = ''
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    out += code < 0x20 || (code >= 0x7f && code < 0xa0) ? '\uFFFD' : char
  }
  return out
}

/** `rows` as aligned text, head first; `empty` where there are none. */
export function formatTable<T>(rows: readonly T[], columns: readonly Column<T>[], empty: string): string {
  if (rows.length === 0) return `${empty}\n`
  const cells = [columns.map((column) => column.head.toUpperCase())]
  for (const row of rows) cells.push(columns.map((column) => printable(column.text(row))))
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)))
  const format = (line: readonly string[]): string =>
    line
      .map((cell, index) => {
        const width = widths[index] ?? 0
        return columns[index]?.align === 'right' ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('   ')
      .trimEnd()
  return `${cells.map(format).join('\n')}\n`
}

/** Unix milliseconds as `2026-11-01 12:00` in UTC, or a dash. */
export function formatTime(time: number | null): string {
  return time === null ? '–' : new Date(time).toISOString().slice(0, 16).replace('T', ' ')
}

/** Values as `name: value` lines. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length))
  return fields.map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${printable(value)}\n`).join('')
}
