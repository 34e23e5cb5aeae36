/** Anthropic error bodies: `{type: 'error', error: {type, message}, request_id}`. */
import type { CanonicalError, ErrorKind } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { present, stringOr } from '../../reading.ts'
import { sseEvent } from '../../sse.ts'
import { upstreamError } from '../../upstream-error.ts'

const typeOfKind: Readonly<Record<ErrorKind, string>> = {
  'invalid-request': 'invalid_request_error',
  authentication: 'authentication_error',
  permission: 'permission_error',
  'not-found': 'not_found_error',
  'too-large': 'request_too_large',
  'rate-limit': 'rate_limit_error',
  quota: 'rate_limit_error',
  'content-filter': 'invalid_request_error',
  overloaded: 'overloaded_error',
  timeout: 'timeout_error',
  upstream: 'api_error',
  internal: 'api_error',
}

/** Type → kind and the status that the API pairs with it; errors in a stream carry no status of their own. */
const types: ReadonlyMap<string, { readonly kind: ErrorKind; readonly status: number }> = new Map<
  string,
  { kind: ErrorKind; status: number }
>([
  ['invalid_request_error', { kind: 'invalid-request', status: 400 }],
  ['authentication_error', { kind: 'authentication', status: 401 }],
  ['billing_error', { kind: 'quota', status: 402 }],
  ['permission_error', { kind: 'permission', status: 403 }],
  ['not_found_error', { kind: 'not-found', status: 404 }],
  ['request_too_large', { kind: 'too-large', status: 413 }],
  ['rate_limit_error', { kind: 'rate-limit', status: 429 }],
  ['api_error', { kind: 'upstream', status: 500 }],
  ['timeout_error', { kind: 'timeout', status: 504 }],
  ['overloaded_error', { kind: 'overloaded', status: 529 }],
])

/** An error body, or the data of an `error` event (`status` 0: it has none). Never throws. */
export function readError(status: number, body: unknown): CanonicalError {
  const error = isJsonObject(body) && isJsonObject(body['error']) ? body['error'] : {}
  const type = stringOr(error['type'], undefined)
  const known = type === undefined ? undefined : types.get(type)
  return upstreamError({
    status: status === 0 ? (known?.status ?? 500) : status,
    kind: known?.kind,
    code: type,
    message: stringOr(error['message'], undefined),
  })
}

/** `details.error_code` is where the official SDK looks for a machine code. */
export function writeError(error: CanonicalError): JsonObject {
  const details = present<Record<string, string>>({
    error_code: error.code,
    param: error.param,
    documentation_url: error.documentationUrl,
  })
  const body: Record<string, JsonValue> = {
    type: 'error',
    error: {
      type: error.kind === 'quota' && error.status === 402 ? 'billing_error' : typeOfKind[error.kind],
      message: error.message,
      details,
    },
  }
  if (error.requestId !== undefined) body['request_id'] = error.requestId
  return body
}

export function writeStreamError(error: CanonicalError): string {
  return sseEvent(JSON.stringify(writeError(error)), 'error')
}
