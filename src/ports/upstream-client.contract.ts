/**
 * Contract suite of `UpstreamClient`: what every client must do, against real servers on loopback, plain or TLS.
 * A reference that does not give one of the guarantees names it, with the reason.
 */
import { after, before, describe, it } from 'node:test'
import { bodyGuarantees } from './upstream-client.contract-bodies.ts'
import type { ContractContext, ContractSubject } from './upstream-client.contract-context.ts'
import { failureGuarantees } from './upstream-client.contract-failures.ts'
import { responseGuarantees } from './upstream-client.contract-responses.ts'
import { makeCertificate, type ServerCertificate } from './upstream-client.contract-server.ts'
import type { UpstreamClient } from './upstream-client.ts'

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
      guarantee(name, test) {
        if (!Object.hasOwn(subject.exceptions, name)) it(name, test)
      },
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
