/**
 * The control plane's listeners: plain HTTP on loopback, HTTPS anywhere, both in front of one Fastify instance.
 */
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { FastifyInstance } from 'fastify'
import { type GuardBounds, guardedServerOptions, guardServer } from '../adapters/http1/guard-server.ts'
import { secureContextOptions } from '../adapters/http1/secure-context.ts'
import type { Config } from '../config/index.ts'
import type { TlsMaterial } from '../ports/listener.ts'

export interface ControlListeners {
  readonly urls: readonly string[]
  setTls(material: TlsMaterial): void
  close(): Promise<void>
}

/** Administration needs a handful of connections. */
const bounds: GuardBounds = {
  connections: 1024,
  connectionsPerAddress: 256,
  newConnectionsPerSecond: 100,
  handshakesPerSecond: 200,
  handshakeTimeoutMs: 10_000,
  headerTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  headerBytes: 32_768,
  replyStallTimeoutMs: 60_000,
  replyBytesPerSecond: 250,
}

/** Open what the configuration names. @throws the system's error when an address cannot be bound */
export async function openControlListeners(
  app: FastifyInstance,
  config: Config['control'],
  tls: TlsMaterial,
): Promise<ControlListeners> {
  await app.ready()
  const handler = app.routing
  const options = guardedServerOptions(bounds)
  const servers: Server[] = []
  const secure: HttpsServer[] = []
  const urls: string[] = []
  const listen = async (
    server: Server,
    protocol: string,
    { host, port }: { host: string; port: number },
  ): Promise<void> => {
    guardServer(server, bounds)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    const address = server.address()
    const bound = typeof address === 'object' && address !== null ? address.port : port
    servers.push(server)
    urls.push(`${protocol}://${host.includes(':') ? `[${host}]` : host}:${bound}`)
  }
  if (config.http.enabled) await listen(createHttpServer(options, handler), 'http', config.http)
  if (config.https.enabled) {
    const server = createHttpsServer(
      { ...options, pauseOnConnect: true, ...secureContextOptions(tls) },
      handler,
    )
    secure.push(server)
    await listen(server, 'https', config.https)
  }
  return {
    urls,
    setTls: (material) => {
      for (const server of secure) server.setSecureContext(secureContextOptions(material))
    },
    async close() {
      await Promise.all(
        servers.map(
          (server) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve())
              server.closeIdleConnections()
              setTimeout(() => server.closeAllConnections(), 2000).unref()
            }),
        ),
      )
      await app.close()
    },
  }
}
