/**
 * Text as it may stand in a line of a log: no control characters (one event stays one line, OWASP ASVS 16.4.1), well
 * formed, bounded. What callers write themselves (model, end user) is also searched for keys that somebody put there by
 * mistake.
 */
const maxLength = 1024
const controls = /[\p{Cc}\u2028\u2029]/gu

/** Beginnings of keys of the vendors that people use, and of our own; what follows them is not logged. */
const keyBeginnings = ['sk-', 'gwr_', 'gwa_', 'AKIA', 'ASIA', 'ghp_', 'xoxb-', 'xoxp-', 'eyJ', 'AIza']
const tokens = /[A-Za-z0-9._~+/-]+/g
const shortestSecret = 12

export function plainText(value: string): string {
  return value.slice(0, maxLength).toWellFormed().replace(controls, ' ')
}

/** Text that a caller chose. */
export function callerText(value: string): string {
  const text = plainText(value)
  return text.replace(tokens, (token, offset: number) => {
    if (text.slice(0, offset).endsWith('Bearer ')) return '…'
    return withoutKey(token)
  })
}

/** A key begins at the start of a token or after a character that is in no word. */
function withoutKey(token: string): string {
  for (const beginning of keyBeginnings) {
    const at = token.indexOf(beginning)
    const isStart = at === 0 || (at > 0 && '._~+/-'.includes(token.charAt(at - 1)))
    const keep = at + beginning.length
    if (isStart && token.length - keep >= shortestSecret) return `${token.slice(0, keep)}…`
  }
  return token
}
