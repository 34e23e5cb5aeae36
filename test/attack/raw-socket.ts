/**
 * A raw client for attack tests: bytes out, everything that came back, and when the server closed.
 * Assumes a listener on loopback. Bound: waits at most 5 s for the close.
 */
import { connect, type Socket } from 'node:net'

export interface RawOutcome {
  /** All that came back, latin1. */
  readonly text: string
  /** Status codes of the responses, in order, interim ones included. */
  readonly statuses: readonly number[]
  /** Whether the server closed before the wait was over. */
  readonly closed: boolean
  readonly elapsedMs: number
}

export interface RawOptions {
  /** Milliseconds between the pieces. */
  readonly gapMs?: number
  /** How long to wait for the close. */
  readonly waitMs?: number
}

const defaultWaitMs = 5000

export function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.removeListener('error', reject)
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })
}

/** Send the pieces one after another and collect what comes back until the server closes. */
export async function exchangeRaw(
  port: number,
  pieces: readonly (string | Buffer)[],
  options: RawOptions = {},
): Promise<RawOutcome> {
  const socket = await openSocket(port)
  const started = performance.now()
  let text = ''
  let closed = false
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  const finished = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, options.waitMs ?? defaultWaitMs)
    socket.once('close', () => {
      closed = true
      clearTimeout(timer)
      resolve()
    })
  })
  for (const piece of pieces) {
    if (socket.destroyed) break
    socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)
    if (options.gapMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.gapMs))
  }
  await finished
  socket.destroy()
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))
  return { text, statuses, closed, elapsedMs: performance.now() - started }
}
