/**
 * A gateway that takes tokens of a real issuer on loopback. The desks of the control plane run as they do there, one
 * call away instead of a thread, with a clock that tests can move on.
 */
import { after } from 'node:test'
import {
  type SignOptions,
  startTestIssuer,
  type TestIssuer,
} from '../../../test/fixtures/token-issuer/token-issuer.ts'
import { createHttp1Client } from '../../adapters/http1/client.ts'
import type { TokenTerms } from '../../domain/token-issuer.ts'
import { createEgressGuard } from '../../egress/index.ts'
import { IntrospectionDesk, KeyDesk, type TokenLine } from '../../identity/index.ts'
import { type Answer, type GatewayRig, rigForTests } from './gateway-rig.ts'
import { testDeployment, testRoute } from './start-gateway.ts'

export interface TokenRig {
  readonly rig: GatewayRig
  readonly issuer: TestIssuer
  /** What the desks logged. */
  readonly logged: string[]
  /** How far the clock of the control plane is ahead, milliseconds. */
  aheadMs: number
  /** Null: the control plane is away. */
  line: TokenLine | null
  /** Put another row of the issuer into force, as a change of configuration does. */
  configure(own?: Partial<TokenTerms>): void
  /** Nothing is trusted any more, and nothing remembered. */
  forget(): void
  bearer(token: string, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** Status, fault and text for a token that is signed so. */
  told(options: SignOptions): Promise<readonly [number, string, string]>
}

export const clientSecret = 's3cret:%'

/** For a file of tests; ends with it. */
export async function tokenRigForTests(): Promise<TokenRig> {
  const issuer = await startTestIssuer()
  const client = createHttp1Client({ egress: createEgressGuard() })
  const now = (): number => Date.now() + rigged.aheadMs
  const logged: string[] = []
  const parts = { client, now, log: (text: string) => logged.push(text) }
  const keys = new KeyDesk({
    ...parts,
    onKeys: (each) => rig.started.gateway.apply({ type: 'token-keys', keys: each }),
  })
  const introspection = new IntrospectionDesk({ ...parts, secretOf: () => Promise.resolve(clientSecret) })
  const line: TokenLine = {
    askKeys: (issuerId, done) => keys.ask(issuerId, done),
    introspect: (issuerId, token, done) => introspection.ask(issuerId, token, done),
  }
  const rig = rigForTests((upstream) => ({
    tokenLine: {
      askKeys: (id, done) => (rigged.line === null ? done(null) : rigged.line.askKeys(id, done)),
      introspect: (id, token, done) =>
        rigged.line === null ? done({ kind: 'unavailable' }) : rigged.line.introspect(id, token, done),
    },
    deployments: [
      testDeployment({
        id: 'openai',
        providerId: 'openai',
        baseUrl: upstream.url,
        secrets: { apiKey: 'sk' },
      }),
    ],
    routes: [testRoute('gpt', ['openai'])],
  }))
  let version = 1
  const rigged: TokenRig = {
    rig,
    issuer,
    logged,
    aheadMs: 0,
    line,
    configure(own = {}) {
      const tokenIssuers = [issuer.row(own)]
      keys.configure(tokenIssuers)
      introspection.configure(tokenIssuers)
      version += 1
      rig.started.gateway.apply({ type: 'config', config: { ...rig.started.config, version, tokenIssuers } })
    },
    forget() {
      keys.configure([])
      introspection.configure([])
      rig.started.gateway.apply({ type: 'config', config: rig.started.config })
    },
    bearer: (token, headers = {}) =>
      rig.call('/v1/models', {
        authorized: false,
        headers: { authorization: `Bearer ${token}`, ...headers },
      }),
    async told(options) {
      const answer = await rigged.bearer(await issuer.sign(options))
      return [answer.status, answer.faultCode, answer.message]
    },
  }
  after(async () => {
    keys.close()
    client.close()
    await issuer.close()
  })
  return rigged
}
