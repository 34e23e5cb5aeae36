/**
 * The door of the admin API: who calls, whether the token has the scope, and what of it goes into the audit log. An entry
 * holds nobody up; one that is lost goes to the process log.
 */
import type { FastifyRequest } from 'fastify'
import type { AuditDetails } from '../audit/index.ts'
import type { AdminScope } from '../domain/entities.ts'
import type { OversightEvent } from '../domain/oversight-event.ts'
import { authenticate, isAttempt, requireScope } from './authenticate.ts'
import type { AdminDependencies, Caller } from './context.ts'
import { adminEvent, reasonOf } from './record-action.ts'

export interface Door {
  /** Who sent the request, once the token is proven and has the scope. @throws Fault 401, 403, 429 */
  enter(
    request: FastifyRequest,
    wanted: { readonly operation: string; readonly scope: AdminScope },
  ): Promise<Caller>
  /** Records that a stranger was turned away, and turns them away. */
  turnAway(request: FastifyRequest, error: unknown): never
}

const signInGapMs = 3_600_000
const maxSignedIn = 10_000
const windowMs = 60_000
const maxRefusals = 60

interface SignInAttempt {
  readonly requestId: string
  readonly address: string
}

/** Records who comes in and who is turned away. */
interface SignInRecorder {
  /** The first request of a token from an address, or the first after an hour without. */
  accepted(caller: Caller, attempt: SignInAttempt): void
  /** A token that is not valid, or comes too often. At most `maxRefusals` entries a minute; the next one says how many more. */
  refused(error: unknown, attempt: SignInAttempt): void
  /** A valid token without the scope. */
  denied(caller: Caller, error: unknown, attempt: SignInAttempt & { readonly operation: string }): void
}

function createSignInRecorder(deps: AdminDependencies): SignInRecorder {
  /** Token and address → last request. Bound: `maxSignedIn`, the oldest goes. */
  const seen = new Map<string, number>()
  let windowEndsAt = 0
  let inWindow = 0
  let left = 0
  const stranger: Caller = { tokenId: '', organizationId: null, scopes: [] }

  function store(event: OversightEvent, details: AuditDetails = {}): void {
    deps.audit.record(event, details).catch((cause: unknown) => {
      const note = { requestId: event.id, code: 'audit.entry-lost', cause }
      deps.log.error(note, `${event.action} is not in the audit log`)
    })
  }

  function isWithinBound(): boolean {
    const now = deps.clock.now()
    if (now >= windowEndsAt) {
      windowEndsAt = now + windowMs
      inWindow = 0
    }
    inWindow += 1
    if (inWindow > maxRefusals) left += 1
    return inWindow <= maxRefusals
  }

  function refusal(caller: Caller, attempt: SignInAttempt, fields: Partial<OversightEvent>): void {
    if (!isWithinBound()) return
    const event = adminEvent({ caller, deps, ...attempt }, { action: 'sign-in.refuse', outcome: 'failure' })
    store({ ...event, stream: 'security', ...fields }, left === 0 ? {} : { repeats: left })
    left = 0
  }

  return {
    accepted(caller, attempt) {
      const key = `${caller.tokenId} ${attempt.address}`
      const now = deps.clock.now()
      const last = seen.get(key)
      seen.delete(key)
      seen.set(key, now)
      const [oldest] = seen.keys()
      if (seen.size > maxSignedIn && oldest !== undefined) seen.delete(oldest)
      if (last !== undefined && now - last < signInGapMs) return
      const event = adminEvent({ caller, deps, ...attempt }, { action: 'sign-in.accept', outcome: 'success' })
      store({ ...event, id: `${event.id}.sign-in` })
    },
    refused: (error, attempt) => refusal(stranger, attempt, { reason: reasonOf(error) }),
    denied(caller, error, { operation, ...attempt }) {
      refusal(caller, attempt, {
        action: 'access.refuse',
        reason: reasonOf(error),
        resource: { kind: 'operation', id: operation },
      })
    },
  }
}

export function createDoor(deps: AdminDependencies): Door {
  const recorder = createSignInRecorder(deps)
  return {
    async enter(request, { operation, scope }) {
      const { authorization } = request.headers
      const attempt = { requestId: request.id, address: request.ip }
      const { address } = attempt
      const caller = await authenticate(deps, { authorization, address }).catch((error: unknown) => {
        if (isAttempt(authorization)) recorder.refused(error, attempt)
        else deps.onDenial('token')
        throw error
      })
      try {
        requireScope(caller, scope)
      } catch (error) {
        deps.onDenial('scope')
        recorder.denied(caller, error, { ...attempt, operation })
        throw error
      }
      recorder.accepted(caller, attempt)
      return caller
    },
    turnAway({ id, ip }, error) {
      recorder.refused(error, { requestId: id, address: ip })
      throw error
    },
  }
}
