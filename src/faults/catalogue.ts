/**
 * Every public error: stable code, HTTP status, kind, public text, remedy. `docs/errors/<code>.md` is generated
 * from this table. Public texts name fields and limits, never internals; `{name}` is filled by the thrower with
 * values that are safe to show.
 */
import type { ErrorKind } from '../domain/canonical.ts'
import type { FaultDefinition } from '../kernel/fault.ts'

export interface CatalogueEntry extends FaultDefinition {
  readonly kind: ErrorKind
}

function entry(code: string, status: number, kind: ErrorKind, text: string, remedy: string): CatalogueEntry {
  return Object.freeze({ code, status, kind, text, remedy })
}

export const faults = Object.freeze({
  // Request shape
  malformedJson: entry(
    'request.malformed-json',
    400,
    'invalid-request',
    'The request body is not valid JSON.',
    'Send one JSON object, UTF-8, without trailing text.',
  ),
  jsonTooDeep: entry(
    'request.json-too-deep',
    400,
    'invalid-request',
    'The request body nests deeper than {limit} levels.',
    'Flatten the body, or raise bounds.jsonDepth.',
  ),
  jsonTooManyKeys: entry(
    'request.json-too-many-keys',
    400,
    'invalid-request',
    'The request body has more than {limit} keys.',
    'Send less, or raise bounds.jsonKeys.',
  ),
  duplicateField: entry(
    'request.duplicate-field',
    400,
    'invalid-request',
    'The field {field} appears twice.',
    'Send each field once: parsers disagree about duplicates, so none is taken.',
  ),
  invalidField: entry(
    'request.invalid-field',
    400,
    'invalid-request',
    'The field {field} is not valid: {reason}.',
    'Correct the field as the message says.',
  ),
  missingField: entry(
    'request.missing-field',
    400,
    'invalid-request',
    'The field {field} is required.',
    'Add the field.',
  ),
  bodyTooLarge: entry(
    'request.body-too-large',
    413,
    'too-large',
    'The request body exceeds {limit} bytes.',
    'Send less, or raise bounds.bodyBytes (bounds.uploadBytes for files).',
  ),
  bodyTimeout: entry(
    'request.body-timeout',
    408,
    'timeout',
    'The request body did not arrive in time.',
    'Send the body without long pauses.',
  ),
  bodyMalformed: entry(
    'request.body-malformed',
    400,
    'invalid-request',
    'The request body is not framed as HTTP demands.',
    'Use a conforming HTTP client.',
  ),
  malformedHttp: entry(
    'request.malformed-http',
    400,
    'invalid-request',
    'The request is not well-formed HTTP.',
    'Use a conforming HTTP client: one Host, one length, CRLF line ends, origin-form target.',
  ),
  headersTooLarge: entry(
    'request.headers-too-large',
    431,
    'too-large',
    'The request header exceeds the limit.',
    'Send fewer or shorter header fields, or raise bounds.headerBytes or bounds.headerCount.',
  ),
  headerTimeout: entry(
    'request.header-timeout',
    408,
    'timeout',
    'The request header did not arrive in time.',
    'Send the whole header at once.',
  ),
  httpNotImplemented: entry(
    'request.not-implemented',
    501,
    'invalid-request',
    'The method or transfer coding is not implemented.',
    'Use a common method, and Content-Length or Transfer-Encoding: chunked.',
  ),
  httpVersion: entry(
    'request.http-version',
    505,
    'invalid-request',
    'The HTTP version is not supported.',
    'Use HTTP/1.1, or HTTP/2 over TLS.',
  ),
  unsupportedContentType: entry(
    'request.unsupported-content-type',
    415,
    'invalid-request',
    'The content type {contentType} is not accepted here.',
    'Send application/json (multipart/form-data for uploads).',
  ),
  unsupportedEncoding: entry(
    'request.unsupported-encoding',
    415,
    'invalid-request',
    'The content encoding {encoding} is not accepted.',
    'Send the body uncompressed.',
  ),
  notFound: entry(
    'request.not-found',
    404,
    'not-found',
    'There is no operation {method} {path} here.',
    'See the reference for the list of operations.',
  ),
  methodNotAllowed: entry(
    'request.method-not-allowed',
    405,
    'invalid-request',
    '{path} does not take {method}.',
    'Use one of the methods in the Allow header.',
  ),
  // Dialects
  cannotExpress: entry(
    'dialect.cannot-express',
    400,
    'invalid-request',
    'The field {field} cannot be expressed for this model ({dialect}): {reason}.',
    'Leave the field out, or choose a model whose provider has it.',
  ),
  operationNotServed: entry(
    'dialect.operation-not-served',
    400,
    'invalid-request',
    'The model {model} does not serve {operation}.',
    'Choose a model whose provider has this operation.',
  ),
  // Identity
  missingCredentials: entry(
    'auth.missing-credentials',
    401,
    'authentication',
    'No API key was given.',
    'Send the key as Authorization: Bearer, x-api-key or x-goog-api-key.',
  ),
  ambiguousCredentials: entry(
    'auth.ambiguous-credentials',
    401,
    'authentication',
    'More than one different credential was given.',
    'Send the API key once.',
  ),
  invalidKey: entry(
    'auth.invalid-key',
    401,
    'authentication',
    'The API key is not valid.',
    'Check the key; it may have been revoked, rotated out or mistyped.',
  ),
  expiredKey: entry(
    'auth.expired-key',
    401,
    'authentication',
    'The API key has expired.',
    'Create or rotate a key.',
  ),
  addressNotAllowed: entry(
    'auth.address-not-allowed',
    403,
    'permission',
    'The API key may not be used from this address.',
    'Call from an allowed network, or change the key.',
  ),
  keyRevoked: entry(
    'auth.key-revoked',
    401,
    'authentication',
    'The API key was revoked while the request was under way.',
    'Use another key.',
  ),
  identityUnavailable: entry(
    'auth.unavailable',
    503,
    'overloaded',
    'Keys cannot be checked right now.',
    'Try again shortly.',
  ),
  // Access
  operationDenied: entry(
    'access.operation-denied',
    403,
    'permission',
    'The API key may not use {operation}.',
    'Ask for a subscription or scope that includes the operation.',
  ),
  modelNotFound: entry(
    'access.model-not-found',
    404,
    'not-found',
    'The model {model} does not exist or may not be used with this API key.',
    'List the models with GET /v1/models.',
  ),
  scopeDenied: entry(
    'access.scope-denied',
    403,
    'permission',
    'The token lacks the scope {scope}.',
    'Use a token with this scope.',
  ),
  // Capacity
  tooManyConnections: entry(
    'capacity.too-many-connections',
    503,
    'overloaded',
    'Too many connections.',
    'Reuse connections, or try again shortly.',
  ),
  bodiesHeld: entry(
    'capacity.bodies-held',
    503,
    'overloaded',
    'Too many request bytes are under way, for this key or altogether.',
    'Send fewer or smaller requests at once, announce their length, and try again shortly.',
  ),
  shuttingDown: entry(
    'capacity.shutting-down',
    503,
    'overloaded',
    'This server is shutting down.',
    'Send the request again; another server will take it.',
  ),
  notReady: entry(
    'capacity.not-ready',
    503,
    'overloaded',
    'The gateway cannot take requests right now: it has no configuration yet, or cannot record their usage.',
    'Wait for /readyz to answer 200. If it lasts, look for `usage.storage` in the log: the disk may be full.',
  ),
  // Upstream
  noDeployment: entry(
    'upstream.no-deployment',
    503,
    'overloaded',
    'No deployment can serve the model {model} right now.',
    'Check the deployments of the model route.',
  ),
  upstreamUnreachable: entry(
    'upstream.unreachable',
    502,
    'upstream',
    'The model provider could not be reached.',
    'Try again; if it lasts, check the deployment with gatewright doctor.',
  ),
  upstreamTimeout: entry(
    'upstream.timeout',
    504,
    'timeout',
    'The model provider did not answer in time.',
    'Try again, or raise the timeouts of the model route or of the deployment.',
  ),
  upstreamBroken: entry(
    'upstream.broken',
    502,
    'upstream',
    'The model provider broke off its answer.',
    'Try again.',
  ),
  upstreamMalformed: entry(
    'upstream.malformed',
    502,
    'upstream',
    'The model provider sent an answer that cannot be read.',
    'Check that the deployment has the right dialect.',
  ),
  upstreamTooLarge: entry(
    'upstream.too-large',
    502,
    'upstream',
    'The model provider sent more than {limit} bytes.',
    'Ask for less, or raise bounds.responseBytes.',
  ),
  upstreamCredential: entry(
    'upstream.credential-refused',
    502,
    'upstream',
    'The model provider refused the credential of the gateway.',
    'Replace the credential of the deployment.',
  ),
  upstreamCredentialsExhausted: entry(
    'upstream.credentials-exhausted',
    502,
    'upstream',
    'Every model provider of the model {model} refused the credential of the gateway.',
    'Replace the credentials of the deployments of the model route.',
  ),
  upstreamRateLimited: entry(
    'upstream.rate-limited',
    429,
    'rate-limit',
    'Every model provider of the model {model} has asked for a pause.',
    'Wait as long as Retry-After says, or add deployments to the model route.',
  ),
  upstreamSaturated: entry(
    'upstream.saturated',
    503,
    'overloaded',
    'Every deployment of the model {model} is as busy as it can be.',
    'Wait as long as Retry-After says, or add deployments to the model route.',
  ),
  upstreamRedirect: entry(
    'upstream.redirect',
    502,
    'upstream',
    'The model provider answered with a redirect, which is not followed.',
    'Correct the base URL of the deployment.',
  ),
  upstreamError: entry(
    'upstream.error',
    502,
    'upstream',
    'The model provider reported an error.',
    'See the message of the provider; try again later.',
  ),
  egressDenied: entry(
    'upstream.egress-denied',
    502,
    'upstream',
    'The address of the deployment is not allowed.',
    'Allow private networks for this deployment if that is intended.',
  ),
  // Idempotency
  idempotencyConflict: entry(
    'idempotency.conflict',
    409,
    'invalid-request',
    'A request with this idempotency key is under way.',
    'Wait for the first request to end.',
  ),
  idempotencyMismatch: entry(
    'idempotency.mismatch',
    422,
    'invalid-request',
    'This idempotency key was used with a different request.',
    'Use a new idempotency key for a new request.',
  ),
  // Control plane
  validation: entry(
    'admin.validation',
    400,
    'invalid-request',
    'The request is not valid: {reason}.',
    'Correct the field as the message says.',
  ),
  adminUnauthenticated: entry(
    'admin.unauthenticated',
    401,
    'authentication',
    'A valid admin token is required.',
    'Send Authorization: Bearer gwa_…; create the first token through the set-up link.',
  ),
  objectNotFound: entry('admin.not-found', 404, 'not-found', 'There is no {noun} {id}.', 'Check the id.'),
  conflict: entry(
    'admin.conflict',
    409,
    'invalid-request',
    'A {noun} named {name} exists already.',
    'Choose another name.',
  ),
  readOnly: entry(
    'admin.read-only',
    409,
    'invalid-request',
    'This {noun} is managed by {manager} and cannot be changed here.',
    'Change it where it is managed.',
  ),
  staleUpdate: entry(
    'admin.stale-update',
    409,
    'invalid-request',
    'This {noun} has changed since it was read.',
    'Read it again and repeat the change.',
  ),
  inUse: entry(
    'admin.in-use',
    409,
    'invalid-request',
    'This {noun} is in use by {user}.',
    'Remove what uses it first.',
  ),
  organizationBound: entry(
    'admin.organization-bound',
    403,
    'permission',
    'The token is bound to one organization and may not do this.',
    'Use a token that is bound to no organization.',
  ),
  credentialNeeded: entry(
    'admin.credential-needed',
    400,
    'invalid-request',
    'The address of the deployment changes, so its credential must be given again.',
    'Send the field credential together with the new address: a stored secret never follows to another host.',
  ),
  keyEnded: entry(
    'admin.key-ended',
    409,
    'invalid-request',
    'The key {id} is revoked and never comes back.',
    'Create a new key.',
  ),
  setupClosed: entry(
    'admin.setup-closed',
    410,
    'invalid-request',
    'The set-up link is used up or has expired.',
    'Restart the gateway to print a new link while no admin token exists, or run gatewright setup-link.',
  ),
  configInvalid: entry(
    'config.invalid',
    400,
    'invalid-request',
    'The configuration is not valid: {reason}.',
    'Correct the named place; the running configuration is unchanged.',
  ),
  // Storage
  secretUnreadable: entry(
    'storage.secret-unreadable',
    500,
    'internal',
    'A stored secret cannot be opened.',
    'Restore the root key that sealed it, or store the secret anew.',
  ),
  storageUnavailable: entry(
    'storage.unavailable',
    503,
    'overloaded',
    'The storage cannot take the change right now.',
    'Try again shortly; check free disk space and permissions of the data directory.',
  ),
  dataDirectory: entry(
    'storage.data-directory',
    500,
    'internal',
    'The data directory cannot be used: {reason}.',
    'Do what the reason says, and start again.',
  ),
  // Ourselves
  internal: entry(
    'internal.unexpected',
    500,
    'internal',
    'Something went wrong on our side.',
    'Try again; report the request id if it lasts.',
  ),
} satisfies Record<string, CatalogueEntry>)

export type FaultName = keyof typeof faults

/** All entries in the order of the table. */
export const catalogue: readonly CatalogueEntry[] = Object.values(faults)
