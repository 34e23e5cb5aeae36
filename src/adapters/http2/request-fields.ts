/**
 * An HTTP/2 field section as the pipeline knows requests: pseudo-header fields mapped, `:authority` as host, cookie
 * crumbs joined (RFC 9113 §8.2.3). nghttp2 has refused malformed names, connection fields and repeated
 * pseudo-header fields already; what it leaves open is checked here with the tables of HTTP/1.1, because the
 * request may travel on as HTTP/1.1. Bounds: `headerBytes` and `headerCount`.
 */
import { fieldValueByte, hostByte, targetByte, tokenLower } from '../http1/byte-classes.ts'
import type { HeadBounds, HeadProblem } from '../http1/head.ts'
import { parseLength } from '../http1/head-fields.ts'
import { isListenerField } from '../http1/reply-head.ts'

export interface Http2Request {
  readonly method: string
  readonly target: string
  readonly headers: string[]
  readonly contentLength: number | undefined
  readonly expectContinue: boolean
  /** Size of the fields, RFC 9113 §6.5.2. */
  readonly fieldBytes: number
}

interface Draft {
  method: string
  target: string
  authority: string
  host: string
  hosts: number
  length: string
  lengths: number
  expect: string
  cookie: string
  readonly headers: string[]
}

/** RFC 9113 §6.5.2: the size of a field counts 32 bytes beside name and value. */
const fieldOverhead = 32

/** @param raw flat name, value list in wire order, pseudo-header fields included */
export function readRequestFields(raw: readonly string[], bounds: HeadBounds): Http2Request | HeadProblem {
  if (raw.length / 2 > bounds.headerCount + 4) return 'too-many-headers'
  const draft: Draft = {
    method: '',
    target: '',
    authority: '',
    host: '',
    hosts: 0,
    length: '',
    lengths: 0,
    expect: '',
    cookie: '',
    headers: [],
  }
  let size = 0
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? ''
    const value = raw[index + 1] ?? ''
    size += name.length + value.length + fieldOverhead
    if (!consists(value, fieldValueByte) || !takeField(draft, name, value)) return 'malformed'
  }
  if (size > bounds.headerBytes) return 'too-large'
  return conclude(draft, size)
}

/** False: refused. */
function takeField(draft: Draft, name: string, value: string): boolean {
  switch (name) {
    case ':method':
      draft.method = value
      return true
    case ':path':
      draft.target = value
      return true
    case ':authority':
      draft.authority = value
      return true
    case ':scheme':
      return value === 'https'
    case 'host':
      draft.host = value
      draft.hosts += 1
      return true
    case 'cookie':
      draft.cookie = draft.cookie === '' ? value : `${draft.cookie}; ${value}`
      return true
    case 'content-length':
      draft.length = value
      draft.lengths += 1
      break
    case 'expect':
      draft.expect = value
      break
    case 'te':
      return value === 'trailers'
    default:
      // Other pseudo-header fields (`:protocol`) are not served; fields of one HTTP/1.1 hop have no place here.
      if (!isFieldName(name) || isConnectionField(name)) return false
  }
  draft.headers.push(name, value)
  return true
}

function conclude(draft: Draft, fieldBytes: number): Http2Request | HeadProblem {
  const { method, target, headers } = draft
  if (method === '' || !isToken(method)) return 'malformed'
  if (method === 'CONNECT' || method === 'TRACE') return 'not-implemented'
  const asterisk = target === '*' && method === 'OPTIONS'
  if (!asterisk && (!target.startsWith('/') || !consists(target, targetByte))) return 'malformed'
  // RFC 9113 §8.3.1: a Host that differs from :authority is malformed.
  if (draft.hosts > 1) return 'malformed'
  if (draft.hosts === 1 && draft.authority !== '' && draft.host !== draft.authority) return 'malformed'
  const host = draft.authority === '' ? draft.host : draft.authority
  if (host === '' || host.length > 255 || !consists(host, hostByte)) return 'malformed'
  headers.unshift('host', host)
  if (draft.cookie !== '') headers.push('cookie', draft.cookie)
  let contentLength: number | undefined
  if (draft.lengths !== 0) {
    contentLength = draft.lengths === 1 ? parseLength(draft.length) : undefined
    if (contentLength === undefined) return 'malformed'
  }
  return {
    method,
    target,
    headers,
    contentLength,
    expectContinue: draft.expect.toLowerCase() === '100-continue',
    fieldBytes,
  }
}

function isConnectionField(name: string): boolean {
  return isListenerField(name) && name !== 'date' && name !== 'trailer'
}

function isToken(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code > 0xff || tokenLower[code] === 0) return false
  }
  return true
}

/** RFC 9113 §8.2.1: a token without upper case. */
function isFieldName(name: string): boolean {
  if (name === '') return false
  for (let index = 0; index < name.length; index += 1) {
    const code = name.charCodeAt(index)
    if (code > 0xff || tokenLower[code] !== code) return false
  }
  return true
}

function consists(text: string, table: Uint8Array): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code > 0xff || table[code] !== 1) return false
  }
  return true
}
