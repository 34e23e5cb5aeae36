/** Errors in OpenAI's shape, which Chat Completions and Responses share. */
import type { CanonicalError, ErrorKind } from '../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts'
import { countOr, stringOr } from '../reading.ts'
import { sseEvent } from '../sse.ts'
import { upstreamError } from '../upstream-error.ts'

/** Codes and types that say more than the status. */
const kindByWord: ReadonlyMap<string, ErrorKind> = new Map([
  ['insufficient_quota', 'quota'],
  ['billing_hard_limit_reached', 'quota'],
  ['rate_limit_exceeded', 'rate-limit'],
  ['rate_limit_error', 'rate-limit'],
  ['invalid_api_key', 'authentication'],
  ['authentication_error', 'authentication'],
  ['content_filter', 'content-filter'],
  ['content_policy_violation', 'content-filter'],
  ['model_not_found', 'not-found'],
  ['context_length_exceeded', 'invalid-request'],
  ['invalid_prompt', 'invalid-request'],
  ['server_error', 'upstream'],
  ['overloaded_error', 'overloaded'],
  ['server_is_overloaded', 'overloaded'],
  ['slow_down', 'overloaded'],
])

/**
 * OpenAI nests under `error`; vLLM and some others write the fields at the top; FastAPI servers say `detail`.
 */
export function readError(status: number, body: unknown): CanonicalError {
  const wire = isJsonObject(body) ? body : {}
  const nested = wire['error']
  const fields: JsonObject = isJsonObject(nested) ? nested : wire
  const message = stringOr(
    fields['message'],
    stringOr(nested, stringOr(wire['detail'], stringOr(wire['message'], undefined))),
  )
  const type = stringOr(fields['type'], undefined)
  const code = stringOr(fields['code'], type)
  const kind = kindByWord.get(code ?? '') ?? kindByWord.get(type ?? '')
  return upstreamError({ status, kind, code, message, param: stringOr(fields['param'], undefined) })
}

/** An error inside a stream has no status of its own; numeric codes (OpenRouter, vLLM) are one. */
export function readStreamError(error: JsonValue | undefined): CanonicalError {
  const fields: JsonObject = isJsonObject(error) ? error : { message: error }
  const code = countOr(fields['code'], 0)
  if (code >= 400 && code < 600) return readError(code, { error: fields })
  const word = stringOr(fields['code'], stringOr(fields['type'], ''))
  // Besides a status the word says less: OpenAI uses it for refused keys, too.
  const kind = kindByWord.get(word) ?? (word === 'invalid_request_error' ? 'invalid-request' : 'upstream')
  return readError(statusByKind[kind], { error: fields })
}

const statusByKind: Readonly<Record<ErrorKind, number>> = {
  'invalid-request': 400,
  authentication: 401,
  permission: 403,
  'not-found': 404,
  'too-large': 413,
  'rate-limit': 429,
  quota: 429,
  'content-filter': 400,
  overloaded: 503,
  timeout: 504,
  upstream: 502,
  internal: 500,
}

const types: Readonly<Record<ErrorKind, string>> = {
  'invalid-request': 'invalid_request_error',
  authentication: 'authentication_error',
  permission: 'permission_error',
  'not-found': 'not_found_error',
  'too-large': 'invalid_request_error',
  'rate-limit': 'rate_limit_error',
  quota: 'insufficient_quota',
  'content-filter': 'invalid_request_error',
  overloaded: 'overloaded_error',
  timeout: 'timeout_error',
  upstream: 'upstream_error',
  internal: 'server_error',
}

/** The fields of an error object; `request_id` and `documentation_url` only where known. */
export function errorFields(error: CanonicalError): JsonObject {
  return {
    message: error.message,
    type: types[error.kind],
    param: error.param ?? null,
    code: error.code,
    ...(error.requestId === undefined ? {} : { request_id: error.requestId }),
    ...(error.documentationUrl === undefined ? {} : { documentation_url: error.documentationUrl }),
  }
}

export function writeError(error: CanonicalError): JsonObject {
  return { error: errorFields(error) }
}

/** The SDKs throw on a chunk that holds `error`. */
export function writeStreamError(error: CanonicalError): string {
  return sseEvent(JSON.stringify(writeError(error)))
}
