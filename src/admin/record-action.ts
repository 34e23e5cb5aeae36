/**
 * Runs an operation of the admin API with its entries in the audit log:
 *
 *   change   intent stored ─▶ image before ─▶ done ─▶ result stored, with the image after
 *               └─ refused: 503 `audit.unavailable`, nothing is done
 *   look     done ─▶ stored ─▶ shown;  not stored: 503, nothing is shown
 *
 * Once a change is made it is answered as made, also where its result cannot be stored any more: its intent is in the
 * log, and the process log says what is missing.
 */
import type { AuditDetails } from '../audit/index.ts'
import { isJsonObject } from '../domain/json.ts'
import type { OversightEvent } from '../domain/oversight-event.ts'
import { Fault } from '../kernel/fault.ts'
import { openOrganization } from './access.ts'
import {
  type AuditName,
  auditKindOf,
  auditNameOf,
  type Image,
  imageOf,
  partPersonal,
  readerOf,
} from './audit-actions.ts'
import type { AdminContext } from './context.ts'
import type { AdminRow } from './register.ts'

export interface Action {
  readonly row: AdminRow
  readonly ctx: AdminContext
  readonly params: unknown
  readonly body: unknown
}

/** An event of somebody at the admin API. */
export function adminEvent(
  { caller, requestId, address, deps }: Pick<AdminContext, 'caller' | 'requestId' | 'address' | 'deps'>,
  fields: Pick<OversightEvent, 'action' | 'outcome'> & Partial<OversightEvent>,
): OversightEvent {
  return {
    id: requestId,
    time: deps.clock.now(),
    stream: 'audit',
    severity: fields.outcome === 'failure' ? 'low' : 'info',
    reason: '',
    organizationId: caller.organizationId ?? '',
    actor: {
      kind: caller.tokenId === '' ? 'unknown' : 'admin',
      id: caller.tokenId,
      applicationId: '',
      address,
      endUser: '',
    },
    resource: null,
    exchange: null,
    ...fields,
  }
}

function textField(source: unknown, name: string): string {
  const value = isJsonObject(source) ? source[name] : undefined
  return typeof value === 'string' ? value : ''
}

/** What it is done to, as far as it is known by then. */
interface Target {
  readonly organizationId: string
  readonly before: Image | null
}

function eventOf(
  action: Action,
  name: AuditName,
  known: Target & { readonly after?: Image | null; readonly outcome: OversightEvent['outcome'] },
): OversightEvent {
  const object = known.after ?? known.before
  const named = textField(action.params, 'id') || textField(action.params, 'organization')
  const organizationId = textField(object, 'organizationId') || known.organizationId
  return adminEvent(action.ctx, {
    action: name.action,
    outcome: known.outcome,
    organizationId,
    resource: { kind: name.noun, id: textField(object, 'id') || named },
  })
}

// What is not there is refused by the operation itself, in its own words.

async function organizationOf({ ctx, params }: Action): Promise<string> {
  const reference = textField(params, 'organization')
  const organization = reference === '' ? null : await openOrganization(ctx, reference).catch(() => null)
  return organization?.id ?? ctx.caller.organizationId ?? ''
}

async function imageBefore({ row, ctx, params }: Action, name: AuditName): Promise<Image | null> {
  const reader = row.name.endsWith('-create') ? null : readerOf(name)
  const found = await reader?.run(ctx, { params, query: {}, body: undefined }).catch(() => null)
  return imageOf(`${name.noun}-get`, found)
}

export function reasonOf(error: unknown): string {
  return error instanceof Fault ? error.code : 'internal'
}

async function change(action: Action, run: () => Promise<unknown>): Promise<unknown> {
  const { row, ctx, body } = action
  const name = auditNameOf(row.name)
  const target = { organizationId: await organizationOf(action), before: await imageBefore(action, name) }
  const fields = isJsonObject(body) ? Object.keys(body).sort() : []
  const intent = eventOf(action, name, { ...target, outcome: 'unknown' })
  await ctx.deps.audit.record({ ...intent, id: `${intent.id}.intent` }, { phase: 'intent', fields })
  const before = partPersonal(target.before)
  const details: AuditDetails = {
    phase: 'result',
    ...(before.image === null ? {} : { before: before.image }),
  }
  let result: unknown
  try {
    result = await run()
  } catch (error) {
    const failed = eventOf(action, name, { ...target, outcome: 'failure' })
    await recordResult(ctx, { ...failed, reason: reasonOf(error) }, details)
    throw error
  }
  const after = imageOf(row.name, result)
  const { image, personal } = partPersonal(after)
  const done = eventOf(action, name, { ...target, after, outcome: 'success' })
  const person = personal ?? before.personal
  await recordResult(ctx, done, {
    ...details,
    ...(image === null ? {} : { after: image }),
    ...(person === null ? {} : { personal: person }),
  })
  return result
}

async function recordResult(ctx: AdminContext, event: OversightEvent, details: AuditDetails): Promise<void> {
  await ctx.deps.audit.record(event, details).catch((cause: unknown) => {
    const note = { requestId: ctx.requestId, code: 'audit.result-lost', cause }
    ctx.deps.log.error(note, `the result of ${event.action} (${event.outcome}) is not in the audit log`)
  })
}

async function look(action: Action, run: () => Promise<unknown>): Promise<unknown> {
  const { row, ctx } = action
  const name = auditNameOf(row.name)
  const target = { organizationId: await organizationOf(action), before: null }
  let result: unknown
  try {
    result = await run()
  } catch (error) {
    // Strangers are recorded, within bounds, by who turns them away.
    if (row.scope !== 'public') {
      const failed = eventOf(action, name, { ...target, outcome: 'failure' })
      await recordResult(ctx, { ...failed, reason: reasonOf(error) }, {})
    }
    throw error
  }
  const after = row.scope === 'public' ? imageOf(row.name, result) : null
  const { image, personal } = partPersonal(after)
  await ctx.deps.audit.record(eventOf(action, name, { ...target, after, outcome: 'success' }), {
    ...(image === null ? {} : { after: image }),
    ...(personal === null ? {} : { personal }),
  })
  return result
}

/** @throws Fault `audit.unavailable`, and what `run` throws */
export function runRecorded(action: Action, run: () => Promise<unknown>): Promise<unknown> {
  switch (auditKindOf(action.row)) {
    case 'change':
      return change(action, run)
    case 'look':
      return look(action, run)
    case 'none':
      return run()
  }
}

/** An answer of before is shown again, secrets included. @throws Fault `audit.unavailable` */
export async function recordReplay(action: Action): Promise<void> {
  const name = auditNameOf(action.row.name)
  const target = { organizationId: action.ctx.caller.organizationId ?? '', before: null }
  const event = eventOf(action, name, { ...target, outcome: 'success' })
  await action.ctx.deps.audit.record({ ...event, reason: 'idempotency.replay' })
}
