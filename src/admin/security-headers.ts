/**
 * Headers on every answer of the control plane. Nothing may be framed, sniffed, cached or sent on as referrer; no
 * CORS header is ever set, so browsers keep other origins out. Pages add their own Content-Security-Policy.
 */
export const apiHeaders: Readonly<Record<string, string>> = Object.freeze({
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
})

/** Sent over TLS only (RFC 6797 §7.2 forbids it over plain HTTP). */
export const strictTransport = 'max-age=31536000'

/** Policy of a page whose inline style and script carry `nonce`. */
export function pagePolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
