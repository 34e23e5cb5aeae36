/**
 * Cost of one delta event of a stream in each dialect: bytes → canonical event (read) and canonical event → text
 * (write). Prints microseconds per event, best of five rounds. Target: 5 µs each.
 *
 * Run: node bench/micro/dialect-stream.ts
 */
import type { CanonicalEvent, CanonicalRequest } from '../../src/domain/canonical.ts'
import type { Dialect } from '../../src/providers/dialect.ts'
import { dialects } from '../../src/providers/dialects.ts'

const deltas = 2000
const rounds = 5
const repeats = 10

const request: CanonicalRequest = {
  model: 'm',
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
  tools: [],
  builtinTools: [],
  sampling: {},
  stopSequences: [],
  stream: true,
  streamUsage: true,
}

function head(): CanonicalEvent[] {
  return [
    { type: 'start', id: 'id_1', model: 'm', created: 1_700_000_000 },
    { type: 'part-start', choice: 0, part: 0, kind: 'text' },
  ]
}

function streamWriterOf(dialect: Dialect) {
  return dialect.streamWriter({
    model: 'm',
    request: { ...request, dialect: dialect.id },
    downgrade: () => {},
  })
}

/** One chunk per delta, as they arrive from a socket. */
function chunksOf(dialect: Dialect): { readonly opening: Buffer[]; readonly chunks: Buffer[] } {
  const writer = streamWriterOf(dialect)
  const opening = head().map((event) => Buffer.from(writer.write(event)))
  const chunks = Array.from({ length: deltas }, (_, at) =>
    Buffer.from(writer.write({ type: 'delta', choice: 0, part: 0, text: ` word${at % 10},` })),
  )
  return { opening, chunks }
}

function best(step: () => number): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round += 1) least = Math.min(least, step())
  return least
}

function microsecondsPerEvent(work: () => void): number {
  const from = process.hrtime.bigint()
  for (let repeat = 0; repeat < repeats; repeat += 1) work()
  return Number(process.hrtime.bigint() - from) / 1000 / (deltas * repeats)
}

let seen = 0

function measureRead(dialect: Dialect): number {
  const { opening, chunks } = chunksOf(dialect)
  const emit = () => {
    seen += 1
  }
  return best(() =>
    microsecondsPerEvent(() => {
      const reader = dialect.streamReader()
      for (const chunk of opening) reader.push(chunk, emit)
      for (const chunk of chunks) reader.push(chunk, emit)
    }),
  )
}

function measureWrite(dialect: Dialect): number {
  const events = Array.from({ length: deltas }, (_, at): CanonicalEvent => {
    return { type: 'delta', choice: 0, part: 0, text: ` word${at % 10},` }
  })
  return best(() =>
    microsecondsPerEvent(() => {
      const writer = streamWriterOf(dialect)
      for (const event of head()) seen += writer.write(event).length
      for (const event of events) seen += writer.write(event).length
    }),
  )
}

for (const dialect of Object.values(dialects)) {
  const read = measureRead(dialect).toFixed(2)
  const write = measureWrite(dialect).toFixed(2)
  process.stdout.write(`${dialect.id.padEnd(20)} read ${read} µs/event   write ${write} µs/event\n`)
}
if (seen === 0) process.exitCode = 1
