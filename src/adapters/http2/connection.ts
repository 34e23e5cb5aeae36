import type { TLSSocket } from 'node:tls'
import type { ConnectionContext, ConnectionPeer } from '../http1/connection.ts'

export class Http2Connection {
  readonly #socket: TLSSocket

  constructor(socket: TLSSocket, _context: ConnectionContext, _peer: ConnectionPeer) {
    this.#socket = socket
    socket.destroy()
  }

  drain(): void {
    this.#socket.destroy()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
