/** What the groups of the `UpstreamClient` contract are about. */
import type { ServerCertificate } from './upstream-client.contract-server.ts'
import type { UpstreamClient, UpstreamOrigin } from './upstream-client.ts'

export interface ContractSubject {
  readonly name: string
  readonly tls: boolean
  /** A new client that trusts `certificate` (PEM) and whose egress admits loopback. */
  create(certificate: string): UpstreamClient
  /** Guarantees (by name) that it does not give, and why that is accepted of it. The product's client has none. */
  readonly exceptions: Readonly<Record<string, string>>
}

/** What the groups of guarantees share. */
export interface ContractContext {
  readonly subject: ContractSubject
  readonly client: UpstreamClient
  /** Declares a test, unless the subject is excepted from it. */
  guarantee(name: string, test: () => Promise<void>): void
  /** Null: plain. */
  readonly certificate: ServerCertificate | null
  origin(port: number): UpstreamOrigin
  /** A further client, for guarantees about closing. */
  another(): UpstreamClient
}
