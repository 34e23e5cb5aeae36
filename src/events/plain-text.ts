/**
 * Text as it may stand in a line of a log: no control characters (one event stays one line, OWASP ASVS 16.4.1), well
 * formed, bounded. What callers write themselves (model, end user) is also searched for keys that somebody put there by
 * mistake.
 */
const maxLength = 1024
const controls = /[\p{Cc}\u2028\u2029]/gu

/** Beginnings of keys of the vendors that people use, and of our own; what follows them is not logged. */
const keys = /\b(sk-|gw[ra]_|AKIA|ASIA|ghp_|xox[a-z]-|eyJ|AIza|Bearer )[A-Za-z0-9._~+/-]{12,}/g

export function plainText(value: string): string {
  return value.slice(0, maxLength).toWellFormed().replace(controls, ' ')
}

/** Text that a caller chose. */
export function callerText(value: string): string {
  return plainText(value).replace(keys, '$1…')
}
