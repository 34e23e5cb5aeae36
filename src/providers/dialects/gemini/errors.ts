/** Google API error bodies: `{error: {code, message, status, details}}`, in a list of one on JSON streams. */
import type { CanonicalError, ErrorKind } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { isJsonArray, stringOr } from '../../reading.ts'
import { sseEvent } from '../../sse.ts'
import { upstreamError } from '../../upstream-error.ts'

/** The canonical gRPC codes (google.rpc.Code) that each kind is told by. */
const statusOfKind: Readonly<Record<ErrorKind, string>> = {
  'invalid-request': 'INVALID_ARGUMENT',
  authentication: 'UNAUTHENTICATED',
  permission: 'PERMISSION_DENIED',
  'not-found': 'NOT_FOUND',
  'too-large': 'INVALID_ARGUMENT',
  'rate-limit': 'RESOURCE_EXHAUSTED',
  quota: 'RESOURCE_EXHAUSTED',
  'content-filter': 'INVALID_ARGUMENT',
  overloaded: 'UNAVAILABLE',
  timeout: 'DEADLINE_EXCEEDED',
  upstream: 'INTERNAL',
  internal: 'INTERNAL',
}

const kindOfStatus: ReadonlyMap<string, ErrorKind> = new Map([
  ['INVALID_ARGUMENT', 'invalid-request'],
  ['FAILED_PRECONDITION', 'invalid-request'],
  ['OUT_OF_RANGE', 'invalid-request'],
  ['UNAUTHENTICATED', 'authentication'],
  ['PERMISSION_DENIED', 'permission'],
  ['NOT_FOUND', 'not-found'],
  ['RESOURCE_EXHAUSTED', 'rate-limit'],
  ['UNAVAILABLE', 'overloaded'],
  ['DEADLINE_EXCEEDED', 'timeout'],
  ['INTERNAL', 'upstream'],
  ['UNKNOWN', 'upstream'],
])

/** An error body, or the data of an event that holds one (`status` 0: take the body's). Never throws. */
export function readError(status: number, body: unknown): CanonicalError {
  const first: unknown = Array.isArray(body) ? body[0] : body
  const error = isJsonObject(first) && isJsonObject(first['error']) ? first['error'] : {}
  const word = stringOr(error['status'], undefined)
  const code = error['code']
  const badKey = isBadKey(error)
  return upstreamError({
    status: status === 0 ? (typeof code === 'number' && code >= 400 && code < 600 ? code : 500) : status,
    kind: badKey ? 'authentication' : word === undefined ? undefined : kindOfStatus.get(word),
    code: word,
    message: stringOr(error['message'], undefined),
  })
}

/** A bad key is told as INVALID_ARGUMENT, with the reason in the details (google.rpc.ErrorInfo). */
function isBadKey(error: JsonObject): boolean {
  const details = error['details']
  return (
    isJsonArray(details) &&
    details.some((detail) => isJsonObject(detail) && detail['reason'] === 'API_KEY_INVALID')
  )
}

/** Our own code, field and documentation stand in the details, as Google's do. */
export function writeError(error: CanonicalError): JsonObject {
  const metadata: Record<string, JsonValue> = {}
  if (error.param !== undefined) metadata['field'] = error.param
  const details: JsonObject[] = [
    { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: error.code, metadata },
  ]
  if (error.documentationUrl !== undefined) {
    const links = [{ description: 'Documentation', url: error.documentationUrl }]
    details.push({ '@type': 'type.googleapis.com/google.rpc.Help', links })
  }
  if (error.requestId !== undefined) {
    details.push({ '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId: error.requestId })
  }
  return { error: { code: error.status, message: error.message, status: statusOfKind[error.kind], details } }
}

export function writeStreamError(error: CanonicalError): string {
  return sseEvent(JSON.stringify(writeError(error)))
}
