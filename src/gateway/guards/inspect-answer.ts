/** A whole answer under the guards of its exchange, in the caller's dialect. What is no JSON is looked at as one text. */
import { isUtf8 } from 'node:buffer'
import type { CanonicalRequest } from '../../domain/canonical.ts'
import type { JsonObject } from '../../domain/json.ts'
import { faults } from '../../faults/catalogue.ts'
import { type GuardSet, inspectBody } from '../../inspection/index.ts'
import { Fault } from '../../kernel/fault.ts'
import { scanJson } from '../../kernel/json-scan.ts'
import { dialects } from '../../providers/index.ts'
import type { GatewayContext } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { callerDialect } from '../respond.ts'
import { noteFindings } from './note-findings.ts'
import { runSliced } from './run-sliced.ts'

/** Operations whose answers hold no text of a model. */
const textless: ReadonlySet<string> = new Set([
  'embeddings',
  'moderations',
  'messages.count-tokens',
  'images.generate',
  'images.edit',
  'images.variation',
])

/** Whatever a provider nests. */
const anyJson = { depth: 10_000, keys: Number.POSITIVE_INFINITY } as const

const textIn = (body: Buffer): string => (JSON.parse(body.toString('utf8')) as { readonly text: string }).text

/** The guards of an answer that is looked at; null: it is not. */
export function guardsOfAnswer({ guards, operation }: Exchange): GuardSet | null {
  if (guards === null || !guards.coversAnswers || textless.has(operation?.id ?? '')) return null
  return operation?.request === 'none' ? null : guards
}

/**
 * Look at an answer and go on with what may leave: the same bytes, with masks, or a refusal in the caller's dialect.
 * `pass` is called at once where it does not take long.
 */
export function inspectAnswer(
  exchange: Exchange,
  ctx: GatewayContext,
  answer: {
    readonly guards: GuardSet
    readonly body: Buffer
    readonly pass: (body: string | Buffer) => void
  },
): void {
  const { guards, body, pass } = answer
  const terms = {
    guards,
    other: 'response',
    organizationId: exchange.key?.organizationId ?? '',
    cache: ctx.verdicts,
  } as const
  const ended = (work: () => void): void => {
    if (exchange.outcome !== 'open') return
    try {
      work()
    } catch (error) {
      exchange.fail(error)
    }
  }
  const isJson = scanJson(body, anyJson).problem === 'none'
  // Sound and pictures are no text.
  if (!isJson && !isUtf8(body)) return pass(body)
  const inspectable = isJson ? body : Buffer.from(JSON.stringify({ text: body.toString('utf8') }))
  runSliced(inspectBody(inspectable, terms), {
    done: (inspected) =>
      ended(() => {
        noteFindings(exchange, inspected.findings)
        if (inspected.blockedBy !== null) return pass(refusal(exchange, inspected.blockedBy))
        if (inspected.body === inspectable) return pass(body)
        pass(isJson ? withoutLogprobs(inspected.body) : textIn(inspected.body))
      }),
    failed: (error) =>
      ended(() => {
        const closed = [...guards.places.values()].some(({ failsClosed }) => failsClosed)
        // Its message might hold what was looked at.
        const internal = error instanceof Error ? error.name : 'no error'
        if (closed) throw new Fault(faults.guardFailed, { internal })
        pass(body)
      }),
  })
}

/** Log probabilities tell a text again, token by token: beside a masked one they are left out. */
function withoutLogprobs(body: Buffer): Buffer {
  if (!body.includes('"logprobs"') && !body.includes('"logprobsResult"')) return body
  const isRepeated = (key: string): boolean => key === 'logprobs' || key === 'logprobsResult'
  return Buffer.from(
    JSON.stringify(
      JSON.parse(body.toString('utf8'), (key, value: unknown) => (isRepeated(key) ? null : value)),
    ),
  )
}

/** An answer that ends with the dialect's own word for a filter. @throws Fault where the dialect has no such answer */
function refusal(exchange: Exchange, guard: string): string {
  exchange.faultCode = faults.guardBlockedAnswer.code
  if (exchange.operation?.trafficClass !== 'G')
    throw new Fault(faults.guardBlockedAnswer, { public: { guard } })
  const { usage } = exchange
  const response = {
    id: exchange.id,
    model: exchange.model,
    created: Math.floor(exchange.startedAt / 1000),
    choices: [{ index: 0, parts: [], stopReason: 'content-filter' as const }],
    ...(usage === null ? {} : { usage }),
  }
  const downgrade = (): void => {}
  const written: JsonObject = callerDialect(exchange).writeResponse(response, {
    model: exchange.model,
    request: canonicalOf(exchange),
    downgrade,
  })
  return JSON.stringify(written)
}

const bareRequest: CanonicalRequest = Object.freeze({
  model: '',
  messages: [],
  tools: [],
  builtinTools: [],
  sampling: {},
  stopSequences: [],
  stream: false,
})

/** The request in the canonical form; of one that its own dialect cannot read, what an answer has to repeat is left out. */
export function canonicalOf(exchange: Exchange): CanonicalRequest {
  const { canonical, operation, json, model, stream } = exchange
  if (canonical !== null) return canonical
  if (operation === null || operation.dialect === null || json === null) return bareRequest
  try {
    exchange.canonical = dialects[operation.dialect].readRequest(json, { model, stream })
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { ...bareRequest, model }
  }
  return exchange.canonical
}
