/**
 * A model provider as cheap as Node.js can be one: raw sockets, HTTP/1.1 with `content-length` requests only. It reads
 * each request whole and answers with one body, or, where the request says `"stream":true`, with one chunk at once
 * and the next ones at the pace that the prompt asks for (`chunks=500 every=20`). Each chunk carries the time at
 * which it was sent. For loopback measurements only: it trusts what it reads.
 *
 * Streams are spread over the milliseconds of their interval, so that the load is even and not a burst.
 */
import { createServer, type Server, type Socket } from 'node:net'

/** In front of the sixteen digits of the sending time (microseconds of the monotone clock). */
export const stampMarker = '"content":"t'
export const stampDigits = 16

const answerText = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'bench-model',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'x'.repeat(760) },
      finish_reason: 'stop',
      logprobs: null,
    },
  ],
  usage: { prompt_tokens: 200, completion_tokens: 150, total_tokens: 350 },
})

/** About 1 KB, what the unary mock answers. */
export const unaryAnswer = answerText

const unaryReply = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${answerText.length}\r\n\r\n${answerText}`
const streamHead =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n'

const eventPrefix =
  'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench-model","choices":[{"index":0,"delta":{"content":"t'
const eventSuffix = '"},"finish_reason":null}]}\n\n'
const chunkHead = `${(eventPrefix.length + stampDigits + eventSuffix.length).toString(16)}\r\n`
const usageEvent =
  'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench-model","choices":[],"usage":{"prompt_tokens":200,"completion_tokens":500,"total_tokens":700}}\n\n'

/** Now, in microseconds of the monotone clock that all processes of the machine share. */
export function nowMicroseconds(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

function stampedChunk(): string {
  return `${chunkHead}${eventPrefix}${String(nowMicroseconds()).padStart(stampDigits, '0')}${eventSuffix}\r\n`
}

function framed(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}

interface Stream {
  readonly socket: Socket
  readonly usage: boolean
  left: number
}

/** Streams of one interval, spread over its milliseconds. */
function createPacer(intervalMs: number) {
  const slots = Array.from({ length: intervalMs }, () => new Set<Stream>())
  let next = 0
  let last = Math.floor(performance.now())
  const timer = setInterval(() => {
    const now = Math.floor(performance.now())
    for (let at = Math.max(last + 1, now - intervalMs + 1); at <= now; at += 1)
      advance(slots[at % intervalMs])
    last = now
  }, 1)

  function advance(slot: Set<Stream> | undefined): void {
    if (slot === undefined) return
    for (const stream of slot) {
      if (stream.socket.destroyed || sendNext(stream)) slot.delete(stream)
    }
  }
  return {
    add(stream: Stream): void {
      next = (next + 7) % intervalMs
      slots[next]?.add(stream)
    },
    stop: () => clearInterval(timer),
  }
}

/** True when that was the last chunk. */
function sendNext(stream: Stream): boolean {
  stream.left -= 1
  if (stream.left > 0) {
    stream.socket.write(stampedChunk(), 'latin1')
    return false
  }
  const tail = `${stream.usage ? framed(usageEvent) : ''}${framed('data: [DONE]\n\n')}0\r\n\r\n`
  stream.socket.write(`${stampedChunk()}${tail}`, 'latin1')
  return true
}

export interface MockUpstream {
  readonly port: number
  stop(): Promise<void>
}

export async function startMockUpstream(): Promise<MockUpstream> {
  const pacers = new Map<number, ReturnType<typeof createPacer>>()
  const sockets = new Set<Socket>()

  function answer(socket: Socket, body: string): void {
    if (!body.includes('"stream":true')) {
      socket.write(unaryReply, 'latin1')
      return
    }
    const chunks = Number(/chunks=(\d+)/.exec(body)?.[1] ?? 10)
    const every = Math.max(1, Number(/every=(\d+)/.exec(body)?.[1] ?? 20))
    socket.write(`${streamHead}${stampedChunk()}`, 'latin1')
    let pacer = pacers.get(every)
    if (pacer === undefined) {
      pacer = createPacer(every)
      pacers.set(every, pacer)
    }
    pacer.add({ socket, left: chunks, usage: body.includes('include_usage') })
  }

  const server: Server = createServer({ noDelay: true }, (socket) => {
    let received = ''
    let expected = 0
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1')
      if (expected === 0) {
        const end = received.indexOf('\r\n\r\n')
        if (end < 0) return
        expected = end + 4 + Number(/content-length: *(\d+)/i.exec(received)?.[1] ?? 0)
      }
      if (received.length < expected) return
      const body = received
      received = ''
      expected = 0
      answer(socket, body)
    })
  })
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    stop: () =>
      new Promise((resolve) => {
        for (const pacer of pacers.values()) pacer.stop()
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
