/**
 * Real servers for the contract suite of `UpstreamClient`: scripted sockets for what a well-behaved server never
 * sends, `node:http` for the rest, each plain or with TLS under a certificate made for the run.
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

export interface ServerCertificate {
  /** PEM. */
  readonly certificate: string
  /** PEM, PKCS #8. */
  readonly privateKey: string
}

/** DER, X.690 §8: tag, length, content; contents here stay below 64 KiB. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content)
  const { length } = body
  const header =
    length < 128
      ? [tag, length]
      : length < 256
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(header), body])
}

const sequence = (...content: readonly Buffer[]): Buffer => der(0x30, ...content)
const octets = (content: Buffer): Buffer => der(0x04, content)
const identifier = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))
const yes = der(0x01, Buffer.from([0xff]))

function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)
  return der(0x18, Buffer.from(`${digits}Z`))
}

/** A self-signed certificate for 127.0.0.1 and `localhost`, valid for an hour (RFC 5280 §4.1). */
export function makeCertificate(): ServerCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'))
  const name = sequence(der(0x31, sequence(identifier('550403'), der(0x0c, Buffer.from('contract')))))
  const now = Date.now()
  const basicConstraints = sequence(identifier('551d13'), yes, octets(sequence(yes)))
  const alternativeNames = sequence(
    identifier('551d11'),
    octets(sequence(der(0x87, Buffer.from([127, 0, 0, 1])), der(0x82, Buffer.from('localhost')))),
  )
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    sequence(time(now - 60_000), time(now + 3_600_000)),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, sequence(basicConstraints, alternativeNames)),
  )
  const signature = sign('sha256', toBeSigned, privateKey)
  const certificate = sequence(toBeSigned, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  }
}

export interface TestServer extends AsyncDisposable {
  readonly port: number
  /** Connections accepted so far. */
  readonly accepted: number
  /** Connections that are open now. */
  readonly open: number
  /** Close every connection from the server's side. */
  hangUp(): void
}

async function track(server: Server, event: 'connection' | 'secureConnection'): Promise<TestServer> {
  const sockets = new Set<Socket>()
  let accepted = 0
  server.on(event, (socket: Socket) => {
    accepted += 1
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    get accepted() {
      return accepted
    },
    get open() {
      return sockets.size
    },
    hangUp() {
      for (const socket of sockets) socket.end()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What to do with one connection; `onRequest` runs for each request head seen (`CRLF CRLF`), numbered from 1. */
export type Script = (socket: Socket, requestNumber: number) => void

/** A server that answers each request head with whatever `script` writes. Bodies are read and dropped. */
export function scriptedServer(tls: ServerCertificate | null, script: Script): Promise<TestServer> {
  const onSocket = (socket: Socket): void => {
    let seen = ''
    let count = 0
    socket.on('data', (bytes: Buffer) => {
      // Only heads matter: keep no more than could hide a terminator.
      seen = (seen + bytes.toString('latin1')).slice(-65_536)
      for (let at = seen.indexOf('\r\n\r\n'); at >= 0; at = seen.indexOf('\r\n\r\n')) {
        seen = seen.slice(at + 4)
        count += 1
        script(socket, count)
      }
    })
  }
  if (tls === null) return track(createTcpServer(onSocket), 'connection')
  const server = createTlsServer({ cert: tls.certificate, key: tls.privateKey }, onSocket)
  return track(server, 'secureConnection')
}

/** A well-behaved HTTP server. */
export function httpServer(tls: ServerCertificate | null, listener: RequestListener): Promise<TestServer> {
  if (tls === null) return track(createHttpServer(listener), 'connection')
  const options = { cert: tls.certificate, key: tls.privateKey }
  const server: HttpServer = createHttpsServer(options, listener)
  return track(server, 'secureConnection')
}
