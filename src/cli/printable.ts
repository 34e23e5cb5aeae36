/** Text that was written by others, for a terminal: nothing of it may steer it. Line breaks and tabs stay. */
export function printable(text: string): string {
  return text.replace(
    /[^\t\n\P{C}]/gu,
    (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}
