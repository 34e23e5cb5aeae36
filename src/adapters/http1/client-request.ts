/**
 * Request heads as one latin1 string. Assumes flat header lists from the data plane; refuses, rather than
 * repairs, whatever could change the framing or split the message: control characters, characters beyond latin1,
 * and the fields that belong to this client. Bound: 1,024 remembered header names.
 */
import type { UpstreamOrigin } from '../../ports/upstream-client.ts'

const ownFields: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'expect',
  'te',
  'trailer',
])
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const badValue = /[^\t\x20-\x7e\x80-\xff]/
const target = /^\/[\x21-\x22\x24-\x7e]*$/
const maxNames = 1024
const maxTargetLength = 16_384

/** Names seen to be fit: they come from configuration and allow-lists, so they are few. */
const fitNames = new Set<string>()

function isFitName(name: string): boolean {
  if (fitNames.has(name)) return true
  if (!token.test(name) || ownFields.has(name.toLowerCase())) return false
  if (fitNames.size < maxNames) fitNames.add(name)
  return true
}

/** Host field value, RFC 9112 §3.2: the port only where it is not the scheme's own. */
export function hostField(origin: UpstreamOrigin): string {
  const name = origin.host.includes(':') ? `[${origin.host}]` : origin.host
  const usual = origin.protocol === 'https:' ? 443 : 80
  return origin.port === usual ? name : `${name}:${origin.port}`
}

export interface RequestLine {
  readonly method: string
  readonly path: string
  readonly headers: readonly string[]
  /** Body bytes; undefined: chunked; null: no body field at all. */
  readonly length: number | null | undefined
}

/** @returns the head with its CRLF CRLF, or null when it cannot be sent safely */
export function serializeHead(hostLine: string, line: RequestLine): string | null {
  const { method, path, headers, length } = line
  if (!isFitName(method) || method === 'CONNECT') return null
  if (path.length > maxTargetLength || !target.test(path) || headers.length % 2 !== 0) return null
  let head = `${method} ${path} HTTP/1.1\r\n${hostLine}`
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const value = headers[i + 1] ?? ''
    if (!isFitName(name) || badValue.test(value)) return null
    head += `${name}: ${value}\r\n`
  }
  if (length === undefined) return `${head}transfer-encoding: chunked\r\n\r\n`
  return length === null ? `${head}\r\n` : `${head}content-length: ${length}\r\n\r\n`
}
