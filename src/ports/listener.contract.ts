/**
 * Contract suite of listeners: what every listener guarantees, on each transport, against real sockets.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { contractBounds, type ListenerBench } from './listener.contract-bench.ts'
import { boundGuarantees } from './listener.contract-bounds.ts'
import { type Client, openClient, type Transport } from './listener.contract-client.ts'
import { replyGuarantees } from './listener.contract-replies.ts'
import { requestGuarantees } from './listener.contract-requests.ts'
import type { ExchangeHandler, Listener, ListenOptions, TlsMaterial } from './listener.ts'

export interface ListenerSubject {
  readonly transport: Transport
  open(options: ListenOptions, handler: ExchangeHandler): Promise<Listener>
  makeCertificate(): Promise<TlsMaterial>
}

export function listenerContract(subject: ListenerSubject): void {
  describe(`Listener contract: ${subject.transport}`, () => {
    let tls: TlsMaterial | undefined
    const closers: (() => void)[] = []

    before(async () => {
      if (subject.transport !== 'http1-plain') tls = await subject.makeCertificate()
    })
    function closeAll(): void {
      for (const close of closers.splice(0)) close()
    }
    afterEach(closeAll)
    after(closeAll)

    const bench: ListenerBench = {
      transport: subject.transport,
      get tls() {
        return tls
      },
      makeCertificate: () => subject.makeCertificate(),
      async start(handler, bounds = {}) {
        const thrown: unknown[] = []
        const listener = await subject.open(
          {
            host: '127.0.0.1',
            port: 0,
            reusePort: false,
            bounds: { ...contractBounds, ...bounds },
            handlerFailed: (error) => thrown.push(error),
            ...(tls === undefined ? {} : { tls }),
          },
          handler,
        )
        closers.push(() => listener.destroy())
        const { port } = listener.address
        const another = (): Client => {
          const client = openClient(subject.transport, port)
          closers.push(() => client.close())
          return client
        }
        return { listener, client: another(), port, another, thrown }
      },
    }

    test('the address says where it listens', async () => {
      const { listener, port } = await bench.start(() => undefined)
      assert.equal(listener.address.host, '127.0.0.1')
      assert.ok(port > 0)
      assert.equal(listener.connections, 0)
    })
    requestGuarantees(bench)
    replyGuarantees(bench)
    boundGuarantees(bench)
  })
}
