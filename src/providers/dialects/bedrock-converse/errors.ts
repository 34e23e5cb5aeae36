/**
 * Bedrock errors: `{message}` with the exception's name in a header (`x-amzn-errortype`) or in `__type`; in a
 * stream, an exception message. Written bodies carry `__type`, where the AWS SDKs look for the name.
 */
import type { CanonicalError, ErrorKind } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { encodeEventStreamMessage } from '../../aws/event-stream.ts'
import { stringOr } from '../../reading.ts'
import { upstreamError } from '../../upstream-error.ts'

interface Exception {
  readonly kind: ErrorKind
  readonly status: number
}

const exceptions: ReadonlyMap<string, Exception> = new Map<string, Exception>([
  ['ValidationException', { kind: 'invalid-request', status: 400 }],
  ['AccessDeniedException', { kind: 'permission', status: 403 }],
  ['UnrecognizedClientException', { kind: 'authentication', status: 403 }],
  ['InvalidSignatureException', { kind: 'authentication', status: 403 }],
  ['MissingAuthenticationTokenException', { kind: 'authentication', status: 403 }],
  ['ExpiredTokenException', { kind: 'authentication', status: 403 }],
  ['ResourceNotFoundException', { kind: 'not-found', status: 404 }],
  ['ServiceQuotaExceededException', { kind: 'quota', status: 400 }],
  ['ThrottlingException', { kind: 'rate-limit', status: 429 }],
  ['ModelTimeoutException', { kind: 'timeout', status: 408 }],
  ['ModelNotReadyException', { kind: 'overloaded', status: 429 }],
  ['ModelErrorException', { kind: 'upstream', status: 424 }],
  ['ModelStreamErrorException', { kind: 'upstream', status: 424 }],
  ['InternalServerException', { kind: 'upstream', status: 500 }],
  ['ServiceUnavailableException', { kind: 'overloaded', status: 503 }],
])

const nameOfKind: Readonly<Record<ErrorKind, string>> = {
  'invalid-request': 'ValidationException',
  authentication: 'AccessDeniedException',
  permission: 'AccessDeniedException',
  'not-found': 'ResourceNotFoundException',
  'too-large': 'ValidationException',
  'rate-limit': 'ThrottlingException',
  quota: 'ServiceQuotaExceededException',
  'content-filter': 'ValidationException',
  overloaded: 'ServiceUnavailableException',
  timeout: 'ModelTimeoutException',
  upstream: 'ModelErrorException',
  internal: 'InternalServerException',
}

/** `com.amazon.coral.service#ThrottlingException:http://…` → `ThrottlingException`. */
function bareName(type: string): string {
  const [name = ''] = type.slice(type.indexOf('#') + 1).split(':', 1)
  return name
}

/** An error body, whose `__type` may be missing. Never throws. */
export function readError(status: number, body: unknown): CanonicalError {
  const error = isJsonObject(body) ? body : {}
  const type = stringOr(error['__type'] ?? error['code'], undefined)
  const name = type === undefined ? undefined : bareName(type)
  return upstreamError({
    status,
    kind: name === undefined ? undefined : exceptions.get(name)?.kind,
    code: name,
    message: stringOr(error['message'] ?? error['Message'], undefined),
  })
}

/** An exception message of a stream; its name begins with a small letter there. */
export function readException(name: string, body: JsonObject): CanonicalError {
  const full = name.charAt(0).toUpperCase() + name.slice(1)
  return readError(exceptions.get(full)?.status ?? 500, { ...body, __type: full })
}

/** The catalogue's code, the field and the documentation stand beside the message. */
export function writeError(error: CanonicalError): JsonObject {
  const body: Record<string, JsonValue> = {
    __type: nameOfKind[error.kind],
    message: error.message,
    code: error.code,
  }
  if (error.param !== undefined) body['param'] = error.param
  if (error.requestId !== undefined) body['requestId'] = error.requestId
  if (error.documentationUrl !== undefined) body['documentationUrl'] = error.documentationUrl
  return body
}

/** Exceptions that a stream may carry (ConverseStreamOutput); every other is told as an internal one. */
const streamed: ReadonlySet<string> = new Set([
  'ValidationException',
  'ThrottlingException',
  'ModelStreamErrorException',
  'InternalServerException',
  'ServiceUnavailableException',
])

export function writeStreamError(error: CanonicalError): Uint8Array {
  const name =
    nameOfKind[error.kind] === 'ModelErrorException' ? 'ModelStreamErrorException' : nameOfKind[error.kind]
  const known = streamed.has(name) ? name : 'InternalServerException'
  const { __type: _type, ...body } = writeError(error)
  return encodeEventStreamMessage(
    [
      [':exception-type', known.charAt(0).toLowerCase() + known.slice(1)],
      [':content-type', 'application/json'],
      [':message-type', 'exception'],
    ],
    JSON.stringify(body),
  )
}
