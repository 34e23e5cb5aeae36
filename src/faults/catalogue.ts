/**
 * Every public error: stable code, HTTP status, kind, public text, remedy. `docs/errors/<code>.md` is generated
 * from this table. Public texts name fields and limits, never internals; `{name}` is filled by the thrower with
 * values that are safe to show.
 */
import { type CatalogueEntry, entry } from './entry.ts'
import { limitFaults } from './limit-faults.ts'
import { requestFaults } from './request-faults.ts'

export type { CatalogueEntry } from './entry.ts'

export const faults = Object.freeze({
  ...requestFaults,
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
  outsideResidency: entry(
    'access.outside-residency',
    403,
    'permission',
    'No deployment for {operation} lies in a region that the residency of every model of this API key allows.',
    'Give a deployment in such a region, or use a key for models whose residencies have a region in common.',
  ),
  policyDenied: entry(
    'access.policy-denied',
    403,
    'permission',
    'A policy of the organization does not allow this request.',
    'Ask an administrator of the organization: `gatewright authorize explain` says which policies decide.',
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
  overloaded: entry(
    'capacity.overloaded',
    503,
    'overloaded',
    'The gateway has more to do than it can, and turned this request away.',
    'Try again shortly. If it lasts, add workers or nodes; bounds.loopDelayMs and bounds.memoryBytes say when this happens.',
  ),
  ...limitFaults,
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
  tooManySignIns: entry(
    'admin.too-many-sign-ins',
    429,
    'rate-limit',
    'Too many sign-ins have failed.',
    'Wait as long as Retry-After says, and look for a script that still sends an old token.',
  ),
  tooManyWatchers: entry(
    'admin.too-many-watchers',
    429,
    'rate-limit',
    'As many watch already as may at once.',
    'Close a live view, or try again later.',
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
  pepperLimit: entry(
    'admin.pepper-limit',
    409,
    'invalid-request',
    'There are {limit} peppers with secrets under them, and there may be no more.',
    'Rotate, revoke or delete the oldest API keys and admin tokens, then rotate the pepper again.',
  ),
  setupClosed: entry(
    'admin.setup-closed',
    410,
    'invalid-request',
    'The set-up link is used up or has expired.',
    'Restart the gateway to print a new link while no admin token exists, or run gatewright setup-link.',
  ),
  auditUnavailable: entry(
    'audit.unavailable',
    503,
    'overloaded',
    'The audit log cannot take an entry right now, so nothing was changed or shown.',
    'Look for `audit` in the log of the gateway: the disk may be full, or the audit log damaged (gatewright audit verify).',
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
    'The storage does not answer, or cannot take the change right now.',
    'Try again shortly; check the database, and free disk space and permissions of the data directory.',
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
