/**
 * The control plane's listeners: plain HTTP on loopback, HTTPS anywhere, both in front of one Fastify instance.
 */
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config/index.ts'
import type { TlsMaterial } from '../ports/listener.ts'

export interface ControlListeners {
  readonly urls: readonly string[]
  setTls(material: TlsMaterial): void
  close(): Promise<void>
}

const bounds = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  maxHeaderSize: 32_768,
  connectionsCheckingInterval: 1000,
}

/** Open connections a listener holds; administration needs a handful. */
const maxConnections = 1024

/** Open what the configuration names. @throws the system's error when an address cannot be bound */
export async function openControlListeners(
  app: FastifyInstance,
  config: Config['control'],
  tls: TlsMaterial,
): Promise<ControlListeners> {
  await app.ready()
  const handler = app.routing
  const servers: Server[] = []
  const secure: HttpsServer[] = []
  const urls: string[] = []
  const listen = async (
    server: Server,
    protocol: string,
    { host, port }: { host: string; port: number },
  ): Promise<void> => {
    server.maxConnections = maxConnections
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
  if (config.http.enabled) await listen(createHttpServer(bounds, handler), 'http', config.http)
  if (config.https.enabled) {
    const server = createHttpsServer({ ...bounds, ...tlsOptions(tls) }, handler)
    secure.push(server)
    await listen(server, 'https', config.https)
  }
  return {
    urls,
    setTls: (material) => {
      for (const server of secure) server.setSecureContext(tlsOptions(material))
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

function tlsOptions({ certificate, privateKey }: TlsMaterial) {
  return {
    cert: certificate,
    key: privateKey,
    minVersion: 'TLSv1.2' as const,
    ecdhCurve: 'X25519MLKEM768:X25519:P-256',
  }
}
