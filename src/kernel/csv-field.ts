/**
 * One field of a CSV line (RFC 4180 §2). A text that a spreadsheet would take for a formula gets a leading
 * apostrophe: names, users and tags are chosen by callers.
 */
export function csvField(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
