/**
 * Which header names and values data may put on an outgoing request. Names are lower-case tokens (RFC 9110 §5.1),
 * values visible ASCII with inner spaces, so that no value can end its header line (RFC 9110 §5.5).
 */

/** Headers that only the gateway itself sets: framing, hop by hop, credentials, and what proves an origin. */
const managed: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
  'cookie',
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'content-type',
  'content-encoding',
  'accept-encoding',
  'expect',
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
])

const namePattern = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/
const valuePattern = /^[!-~](?:[ -~]*[!-~])?$/

/** True for a header name in lower case. */
export function checkHeaderName(name: string): boolean {
  return namePattern.test(name)
}

/** True for text that may stand as a header value. */
export function checkHeaderValue(value: string): boolean {
  return value.length <= 16_384 && valuePattern.test(value)
}

/** True for a header that neither a row nor a caller may set upstream. */
export function isManagedHeader(name: string): boolean {
  return managed.has(name)
}
