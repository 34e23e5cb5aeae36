/** Headers of an answer: what Gatewright tells about it, and what of the provider's headers may pass. */
import type { Exchange } from './exchange.ts'
import { addOwnHeaders } from './respond.ts'

/** Provider headers that callers read. Everything else stays inside, above all anything that names a credential. */
const passing = new Set([
  'content-type',
  'content-disposition',
  'retry-after',
  'retry-after-ms',
  'openai-processing-ms',
  'openai-version',
  'openai-model',
])
function isRateLimit(name: string): boolean {
  return name.startsWith('x-ratelimit-') || name.startsWith('anthropic-ratelimit-')
}

/** The provider's headers that pass, as a flat list. */
export function passingHeaders(received: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at < received.length; at += 2) {
    const name = received[at] ?? ''
    if (passing.has(name) || isRateLimit(name)) kept.push(name, received[at + 1] ?? '')
  }
  return kept
}

/** The provider's figures are those of the gateway's account, which is not what limits this caller. */
function dropForeignLimits(headers: string[]): void {
  for (let at = headers.length - 2; at >= 0; at -= 2)
    if (isRateLimit(headers[at] ?? '')) headers.splice(at, 2)
}

/** What Gatewright says about every answer of a deployment. Appends to `headers`. */
export function describeAnswer(exchange: Exchange, headers: string[], now: number): void {
  const target = exchange.target
  if (exchange.limits !== null) dropForeignLimits(headers)
  addOwnHeaders(exchange, headers)
  if (target !== null) {
    headers.push(
      'x-gatewright-deployment',
      target.deployment.slug,
      'x-gatewright-model',
      printable(exchange.servedModel),
    )
  }
  const cap = exchange.limits?.request.outputCap ?? null
  if (cap !== null) headers.push('x-gatewright-output-cap', String(cap))
  headers.push('x-gatewright-attempts', String(exchange.attempts))
  if (exchange.cacheStatus !== '') headers.push('x-gatewright-cache', exchange.cacheStatus)
  headers.push(
    'x-gatewright-overhead-ms',
    milliseconds(exchange.upstreamStartedAt - exchange.inbound.startedAt),
  )
  headers.push('server-timing', stageTimes(exchange, now))
  if (exchange.downgrades.length > 0) {
    headers.push(
      'x-gatewright-downgrades',
      exchange.downgrades
        .map((each) => printable(each.field))
        .join(', ')
        .slice(0, 1000),
    )
  }
}

/** Tokens and cost, where they are known before the body is sent. */
export function describeUsage(exchange: Exchange, headers: string[]): void {
  const usage = exchange.usage
  if (usage === null) return
  headers.push(
    'x-gatewright-tokens-input',
    String(usage.inputTokens),
    'x-gatewright-tokens-output',
    String(usage.outputTokens),
  )
  if (usage.estimated) headers.push('x-gatewright-tokens-estimated', 'true')
  if (exchange.costMicroUsd !== null) headers.push('x-gatewright-cost-usd', dollars(exchange.costMicroUsd))
}

const unprintable = /[^\x20-\x7e]/g

/** Nearly all names are plain: looking costs less than replacing. */
function printable(text: string): string {
  const cut = text.length > 200 ? text.slice(0, 200) : text
  return cut.search(unprintable) < 0 ? cut : cut.replace(unprintable, '?')
}

/** `.000` to `.999`: writing fractions from here costs a fifth of printing a double. */
const thousandths = Array.from({ length: 1000 }, (_, value) => `.${String(value).padStart(3, '0')}`)

/** Milliseconds with three decimals. */
function milliseconds(value: number): string {
  const micros = Math.max(0, Math.round(value * 1000))
  return `${Math.floor(micros / 1000)}${thousandths[micros % 1000]}`
}

/** US dollars with six decimals, from micro-dollars. */
function dollars(micros: number): string {
  const rest = micros % 1_000_000
  return `${Math.floor(micros / 1_000_000)}${thousandths[Math.floor(rest / 1000)]}${thousandths[rest % 1000]?.slice(1)}`
}

/** Stages shorter than this are left out of `Server-Timing`. */
const shownFromMs = 0.01

/** `Server-Timing` (W3C): time in each stage before the upstream call, then the upstream itself. */
function stageTimes(exchange: Exchange, now: number): string {
  const starts = exchange.stageStarts
  let text = ''
  for (let at = 0; at < starts.length - 1; at += 1) {
    const spent = (starts[at + 1] ?? 0) - (starts[at] ?? 0)
    if (spent >= shownFromMs) text += `${exchange.timedStages[at] ?? ''};dur=${milliseconds(spent)}, `
  }
  return `${text}upstream;dur=${milliseconds(now - exchange.upstreamStartedAt)}`
}
