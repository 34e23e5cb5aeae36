/**
 * TLS in front of accepted sockets: TLS 1.2 and 1.3, hybrid post-quantum key exchange first, ALPN h2 then http/1.1.
 * Assumes sockets are admitted already. The server object never listens itself: sockets are given to it, so that
 * caps apply before any cryptography. Bounds: the handshake deadline is the caller's.
 */
import type { Socket } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import type { TlsMaterial } from '../../ports/listener.ts'
import { secureContextOptions } from './secure-context.ts'

export interface TlsFront {
  /** Run the handshake; one of the two is called once: `failed` when the socket is destroyed. */
  secure(socket: Socket, secured: (socket: TLSSocket) => void, failed: () => void): void
  /** Certificate and key of the handshakes to come. @throws when they do not parse or do not belong together */
  setMaterial(material: TlsMaterial): void
}

/** @param ended told of each handshake: the version, or null where it failed */
export function createTlsFront(
  material: TlsMaterial,
  ended: (version: string | null) => void = () => {},
): TlsFront {
  const options: TlsOptions = { ...secureContextOptions(material), ALPNProtocols: ['h2', 'http/1.1'] }
  const waiting = new WeakMap<object, Waiting>()
  const server = createServer(options)
  server.on('tlsClientError', (_error, socket) => {
    const raw = rawOf(socket)
    if (raw !== undefined) waiting.get(raw)?.failed()
    socket.destroy()
    ended(null)
  })
  server.on('secureConnection', (socket) => {
    ended(socket.getProtocol())
    const raw = rawOf(socket)
    const asked = raw === undefined ? undefined : waiting.get(raw)
    if (asked === undefined) socket.destroy()
    else asked.secured(socket)
  })

  return {
    secure(socket, secured, failed) {
      waiting.set(socket, { secured, failed })
      server.emit('connection', socket)
    },
    setMaterial(next) {
      server.setSecureContext(secureContextOptions(next))
    },
  }
}

interface Waiting {
  readonly secured: (socket: TLSSocket) => void
  readonly failed: () => void
}

/** The socket that a TLS socket was made from. */
function rawOf(socket: TLSSocket): object | undefined {
  return (socket as { readonly _parent?: object | null })._parent ?? undefined
}
