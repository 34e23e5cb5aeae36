/**
 * `gatewright tail`: what happens, as it happens. Reads the server-sent events of `GET /live`, comes back by itself
 * when the connection ends, and goes on after the last event it saw. Bounds: one event at a time, lines of at most
 * `maxLineLength`.
 */
import type { Command } from 'commander'
import type { OversightEvent } from '../../domain/oversight-event.ts'
import { CliFailure } from '../cli-failure.ts'
import { defineCommand, runs } from '../define-command.ts'
import { parseDuration } from '../durations.ts'
import { readServerSentEvents } from '../read-server-sent-events.ts'
import { type CliIo, type Session, take } from '../session.ts'
import { writeEventLine } from '../write-event-line.ts'

const streams = ['access', 'usage', 'security', 'audit'] as const
const outcomes = ['success', 'failure', 'unknown'] as const
const severities = ['info', 'low', 'medium', 'high', 'critical'] as const

interface TailOptions {
  readonly stream?: string
  readonly model?: string
  readonly outcome?: string
  readonly severity?: string
  readonly for?: string
}

function choice<T extends string>(
  name: string,
  value: string | undefined,
  known: readonly T[],
): T | undefined {
  if (value === undefined) return undefined
  const found = known.find((each) => each === value)
  if (found === undefined)
    throw new CliFailure('usage', `${value} is no ${name}.`, `Known are ${known.join(', ')}.`)
  return found
}

function queryOf(options: TailOptions, organization: string | undefined) {
  const { model } = options
  const stream = choice('stream', options.stream, streams)
  const outcome = choice('outcome', options.outcome, outcomes)
  const severity = choice('severity', options.severity, severities)
  return {
    ...(organization === undefined ? {} : { organization }),
    ...(stream === undefined ? {} : { stream }),
    ...(model === undefined ? {} : { model }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(severity === undefined ? {} : { severity }),
  }
}

type Query = ReturnType<typeof queryOf>

/** Why a stream is over: the token ended, the connection did, or there was none: the control plane is busy. */
type Ending = 'token' | 'lost' | 'busy'

interface Watch {
  readonly session: Session
  readonly query: Query
  readonly signal: AbortSignal
  /** Id of the last event that was shown. */
  last: string | undefined
  /** Nothing was shown yet: a failure is a mistake to be told of. Later it is an outage to be waited for. */
  isFirst: boolean
}

const gapReasons: ReadonlyMap<string, string> = new Map([
  ['slow', 'they came faster than they were read'],
  ['late', 'they are older than what the node keeps'],
  ['restart', 'the control plane started anew meanwhile'],
])

function showGap(io: CliIo, data: string): void {
  const { lost, reason = '' } = JSON.parse(data) as { readonly lost: number | null; readonly reason?: string }
  const why = gapReasons.get(reason)
  const what = `${lost === null ? 'some events' : `${lost} events`} may be missing here`
  io.err(`… ${what}${why === undefined ? '' : `: ${why}`}\n`)
}

/** Shows one connection's events until it ends. Throws what a connection that cannot be made throws. */
async function watchOnce(watch: Watch): Promise<Ending> {
  const { session, signal } = watch
  const query = { ...watch.query, ...(watch.last === undefined ? {} : { after: watch.last }) }
  const reply = await session.client.GET('/api/v1/live', { params: { query }, parseAs: 'stream', signal })
  const { data, error, response } = reply
  if (data === null || data === undefined) {
    if (!watch.isFirst && (response.status === 429 || response.status >= 500)) return 'busy'
    await take(Promise.resolve({ error, response }))
    return 'lost'
  }
  for await (const { type, id, data: text } of readServerSentEvents(data)) {
    if (id !== '') watch.last = id
    if (type === 'gap') showGap(session.io, text)
    else if (type === 'end')
      return (JSON.parse(text) as { reason: string }).reason === 'token' ? 'token' : 'lost'
    else if (type === 'oversight' && session.json) session.io.out(`${text}\n`)
    else if (type === 'oversight')
      session.io.out(writeEventLine(JSON.parse(text) as OversightEvent, session.io.colours === true))
  }
  return 'lost'
}

const firstPauseMs = 500
const longestPauseMs = 10_000

/** A pause that the end of the watch cuts short. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** True where trying again may help: the control plane is not there just now. */
function isPassing(error: unknown): boolean {
  return !(error instanceof CliFailure) || error.reason === 'unreachable'
}

async function watch(parts: Watch): Promise<void> {
  const { session, signal } = parts
  let pauseMs = firstPauseMs
  while (!signal.aborted) {
    try {
      const ending = await watchOnce(parts)
      if (ending === 'token') throw new CliFailure('denied', 'The token is no longer valid.', 'Use another.')
      if (ending === 'lost') pauseMs = firstPauseMs
    } catch (error) {
      if (signal.aborted) return
      if (parts.isFirst || !isPassing(error)) {
        throw error instanceof CliFailure ? error : await asUnreachable(error)
      }
    }
    parts.isFirst = false
    session.io.err('… the connection ended; trying again\n')
    await pause(pauseMs, signal)
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }
}

/** The words that all commands have for a control plane that is not there. */
async function asUnreachable(error: unknown): Promise<unknown> {
  return take(Promise.reject(error)).catch((failure: unknown) => failure)
}

export function addTail(program: Command, io: CliIo): void {
  const command = defineCommand(program, {
    name: 'tail',
    summary: 'Watch what happens on a node, as it happens',
    examples: [
      ['gatewright tail', 'Everything that the token may see, until Ctrl-C'],
      ['gatewright tail --stream security --severity medium', 'What was refused or failed, of some weight'],
      ['gatewright tail --model gpt-4o --outcome failure', 'Calls of one model that failed'],
      ['gatewright tail --json --for 10m > events.jsonl', 'Ten minutes as JSON lines'],
    ],
  })
    .option('--stream <name>', `of this stream only: ${streams.join(', ')}`)
    .option('--model <name>', 'for this model only')
    .option('--outcome <outcome>', `with this outcome only: ${outcomes.join(', ')}`)
    .option('--severity <least>', `of at least this severity: ${severities.join(', ')}`)
    .option('--for <duration>', 'end after this time (10s, 5m)')
  runs<TailOptions>(command, io, async ({ session, options, organization }) => {
    const query = queryOf(options, organization)
    const ending = new AbortController()
    const timer =
      options.for === undefined ? null : setTimeout(() => ending.abort(), parseDuration(options.for))
    try {
      await watch({ session, query, signal: ending.signal, last: undefined, isFirst: true })
    } finally {
      if (timer !== null) clearTimeout(timer)
    }
  })
}
