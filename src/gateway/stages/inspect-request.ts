/**
 * The request under its guards: what they block ends here, what they mask leaves masked, so that nothing behind this
 * row (kept answers, logs, providers) sees it. Long bodies are looked at in slices.
 */
import { faults } from '../../faults/catalogue.ts'
import { type GuardSet, type InspectedBody, inspectBody } from '../../inspection/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { GatewayContext } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { guardsOf } from '../guards/guards-of.ts'
import { noteFindings } from '../guards/note-findings.ts'
import { runSliced } from '../guards/run-sliced.ts'
import type { Stage } from '../stage.ts'
import { takeBody } from './validate.ts'

/** Streams that carry pictures and sound, and no text. */
const textless: ReadonlySet<string> = new Set(['audio.speech', 'images.generate', 'images.edit'])

export const inspectRequest: Stage = (exchange, ctx) => {
  const guards = guardsOf(exchange)
  exchange.guards = guards
  if (guards === null || exchange.operation === null) return 'next'
  const { id, trafficClass } = exchange.operation
  if (exchange.stream && trafficClass !== 'G' && guards.changesAnswers && !textless.has(id))
    throw new Fault(faults.guardNeedsWholeAnswer, { public: { operation: id }, param: 'stream' })
  // Uploads and forms are no JSON: they are not inspected.
  return exchange.scan === null ? 'next' : inspect(exchange, ctx, guards)
}

function inspect(exchange: Exchange, ctx: GatewayContext, guards: GuardSet): 'next' | 'wait' {
  const terms = {
    guards,
    other: 'request',
    organizationId: exchange.key?.organizationId ?? '',
    cache: ctx.verdicts,
  } as const
  let isSynchronous = true
  let isDone = false
  const stop = runSliced(inspectBody(exchange.body, terms), {
    done(inspected) {
      if (isSynchronous) {
        isDone = true
        return accept(exchange, inspected)
      }
      if (exchange.outcome !== 'open') return
      try {
        accept(exchange, inspected)
      } catch (error) {
        return exchange.fail(error)
      }
      exchange.proceed()
    },
    failed(error) {
      if (isSynchronous) throw error
      exchange.fail(error)
    },
  })
  isSynchronous = false
  if (isDone) return 'next'
  exchange.abandon = stop
  return 'wait'
}

/** @throws Fault where a guard blocks */
function accept(exchange: Exchange, { findings, blockedBy, body }: InspectedBody): void {
  noteFindings(exchange, findings)
  if (blockedBy !== null) {
    // What the caller said about itself may be what was found.
    if (findings.some(({ at }) => !at.startsWith('messages') && !at.startsWith('contents'))) {
      exchange.endUser = ''
      exchange.tags = {}
    }
    throw new Fault(faults.guardBlockedRequest, { public: { guard: blockedBy } })
  }
  if (body !== exchange.body) takeBody(exchange, body)
}
