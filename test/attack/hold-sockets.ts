/**
 * Connections that are held open by a trickle, opened one after another over two seconds. A program of its own, so that
 * its turns are not taken for those of the gateway:
 *
 *   node test/attack/hold-sockets.ts ATTACK PORT SECONDS CONNECTIONS API_KEY
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const openingMs = 2000
const oneByteEach = 500
const models = '/v1/models HTTP/1.1\r\nHost: x\r\n'

/** Write a little, again and again. */
function drip(socket: Socket, first: string, next: string): void {
  socket.write(first)
  const timer = setInterval(() => socket.write(next), oneByteEach)
  socket.once('close', () => clearInterval(timer))
}

/** What each connection does once it is open. */
const trickles = {
  slowloris: (socket: Socket) => drip(socket, `GET ${models}`, 'a: b\r\n'),
  'slow body': (socket: Socket) => drip(socket, `POST ${models}Content-Length: 8192\r\n\r\n`, 'a'),
  'slow read': (socket: Socket) => {
    socket.pause()
    socket.write(`GET ${models}\r\n`.repeat(10))
  },
  range: (socket: Socket) => {
    const ranges = Array.from({ length: 500 }, (_, at) => `5-${at}`).join(',')
    socket.write(`HEAD ${models}Range: bytes=${ranges}\r\n\r\n`)
  },
  'slow body with a valid key': (socket: Socket, apiKey: string) =>
    drip(
      socket,
      `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{',
      ' ',
    ),
} satisfies Record<string, (socket: Socket, apiKey: string) => void>

export type Trickle = keyof typeof trickles

interface Held {
  readonly port: number
  readonly seconds: number
  readonly connections: number
  readonly apiKey: string
}

/** How many were still open at the end. */
async function holdSockets(name: Trickle, { port, seconds, connections, apiKey }: Held): Promise<number> {
  const sockets: Socket[] = []
  const started = Date.now()
  while (Date.now() < started + seconds * 1000) {
    const due = Math.min(connections, Math.ceil((connections * (Date.now() - started)) / openingMs))
    while (sockets.length < due) {
      const socket = connect({ host: '127.0.0.1', port }, () => trickles[name](socket, apiKey))
      // Without a reader it would not see the other side's end.
      sockets.push(socket.on('error', () => undefined).resume())
    }
    await sleep(20)
  }
  const left = sockets.filter((socket) => !socket.closed).length
  for (const socket of sockets) socket.destroy()
  return left
}

if (import.meta.main) {
  const [name = '', port, seconds, connections, apiKey = ''] = parseArgs({
    allowPositionals: true,
  }).positionals
  const held = { port: Number(port), seconds: Number(seconds), connections: Number(connections), apiKey }
  const left = await holdSockets(name as Trickle, held)
  process.stdout.write(`${left} of ${held.connections} connections left\n`)
}
