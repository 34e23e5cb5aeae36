/**
 * Contract suite of `UpstreamClient`: what every client must do, against real servers on loopback, plain or TLS.
 * An implementation that is deliberately more lenient names the malformed responses it accepts, with the reason.
 */
import { after, before, describe } from 'node:test'
import { bodyGuarantees } from './upstream-client.contract-bodies.ts'
import { failureGuarantees } from './upstream-client.contract-failures.ts'
import { responseGuarantees } from './upstream-client.contract-responses.ts'
import { makeCertificate, type ServerCertificate } from './upstream-client.contract-server.ts'
import type { UpstreamClient, UpstreamOrigin } from './upstream-client.ts'

export interface ContractSubject {
  readonly name: string
  readonly tls: boolean
  /** A new client that trusts `certificate` (PEM) and whose egress admits loopback. */
  create(certificate: string): UpstreamClient
  /** Malformed responses (by name) that it takes, and why that is accepted of it. */
  readonly lenientAbout: Readonly<Record<string, string>>
}

/** What the groups of guarantees share. */
export interface ContractContext {
  readonly subject: ContractSubject
  readonly client: UpstreamClient
  /** Null: plain. */
  readonly certificate: ServerCertificate | null
  origin(port: number): UpstreamOrigin
  /** A further client, for guarantees about closing. */
  another(): UpstreamClient
}

export function upstreamClientContract(subject: ContractSubject): void {
  describe(`UpstreamClient contract: ${subject.name}, ${subject.tls ? 'TLS' : 'plain'}`, () => {
    let client: UpstreamClient | null = null
    let certificate: ServerCertificate | null = null

    before(() => {
      certificate = makeCertificate()
      client = subject.create(certificate.certificate)
    })
    after(() => client?.close())

    const context: ContractContext = {
      subject,
      get client() {
        if (client === null) throw new Error('not before the suite starts')
        return client
      },
      get certificate() {
        return subject.tls ? certificate : null
      },
      origin: (port) => ({
        protocol: subject.tls ? 'https:' : 'http:',
        host: '127.0.0.1',
        port,
        allowPrivateNetwork: true,
      }),
      another: () => subject.create(certificate?.certificate ?? ''),
    }
    responseGuarantees(context)
    bodyGuarantees(context)
    failureGuarantees(context)
  })
}
