import assert from 'node:assert/strict'
import test from 'node:test'
import type {
  BodySink,
  UpstreamClient,
  UpstreamFailureKind,
  UpstreamRequest,
} from '../../ports/upstream-client.ts'
import { sandboxHost } from '../catalogue/rows.ts'
import { dialects } from '../dialects.ts'
import { createSandbox } from './sandbox.ts'
import { createSandboxClient } from './sandbox-client.ts'

const elsewhere: UpstreamRequest[] = []
const next: UpstreamClient = {
  call: (request) => {
    elsewhere.push(request)
    return { isSent: true, pause: () => undefined, resume: () => undefined, abort: () => undefined }
  },
  close: () => undefined,
}
const client = createSandboxClient(createSandbox({ dialects, now: Date.now }), next)

function request(
  content: string,
  rest: Partial<UpstreamRequest> & { readonly stream?: boolean } = {},
): UpstreamRequest {
  const { stream = false, ...fields } = rest
  const body = { model: 'sandbox', messages: [{ role: 'user', content }], stream }
  return {
    origin: { protocol: 'https:', host: sandboxHost, port: 443, allowPrivateNetwork: false },
    method: 'POST',
    path: '/v1/chat/completions',
    headers: [],
    body: Buffer.from(JSON.stringify(body)),
    timeouts: { connectMs: 1000, firstByteMs: 1000, idleMs: 1000, totalMs: 5000 },
    ...fields,
  }
}

interface Outcome {
  readonly status: number
  readonly body: string
  readonly failure: UpstreamFailureKind | null
  readonly unsent: boolean
}

function call(sent: UpstreamRequest): Promise<Outcome> {
  return new Promise((resolve) => {
    let status = 0
    const chunks: Buffer[] = []
    const body = (): string => Buffer.concat(chunks).toString()
    client.call(sent, {
      head: (received) => {
        status = received
      },
      data: (chunk) => chunks.push(chunk),
      end: () => resolve({ status, body: body(), failure: null, unsent: false }),
      failure: ({ kind, unsent }) => resolve({ status, body: body(), failure: kind, unsent }),
    })
  })
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('calls to the sandbox’s host are answered in process, others go on', async () => {
  const { status, body } = await call(request('hello'))
  assert.equal(status, 200)
  assert.match(body, /You said: hello/)
  assert.match((await call(request('hello', { stream: true }))).body, /data: \[DONE\]/)
  assert.equal(elsewhere.length, 0)
  const origin = { protocol: 'https:', host: 'api.example', port: 443, allowPrivateNetwork: false } as const
  client.call(request('x', { origin }), {
    head: () => undefined,
    data: () => undefined,
    end: () => undefined,
    failure: () => undefined,
  })
  assert.equal(elsewhere.length, 1)
})

test('failures arrive as a network’s would', async () => {
  const refused = await call(request('sandbox: fail=refuse'))
  assert.deepEqual([refused.failure, refused.unsent], ['connect', true])
  const reset = await call(request('sandbox: fail=reset'))
  assert.deepEqual([reset.failure, reset.unsent], ['reset', false])
  const cut = await call(request('a b c d e\nsandbox: fail=mid-stream', { stream: true }))
  assert.equal(cut.failure, 'reset')
  assert.ok(cut.body.length > 0)
})

test('deadlines hold', async () => {
  const timeouts = { connectMs: 1000, firstByteMs: 30, idleMs: 30, totalMs: 80 }
  assert.equal((await call(request('sandbox: fail=hang', { timeouts }))).failure, 'first-byte-timeout')
  const stalled = await call(request('a b c d e\nsandbox: fail=stall', { stream: true, timeouts }))
  assert.equal(stalled.failure, 'idle-timeout')
  const slow = request('sandbox: tokens=100 chunk-delay=10ms', { stream: true, timeouts })
  assert.equal((await call(slow)).failure, 'total-timeout')
})

test('a paused call delivers nothing until it is resumed, and loses nothing', async () => {
  const chunks: Buffer[] = []
  let ended = false
  const handle = client.call(request('sandbox: tokens=200', { stream: true }), {
    head: () => undefined,
    data: (chunk) => {
      chunks.push(chunk)
      if (chunks.length === 5) handle.pause()
    },
    end: () => {
      ended = true
    },
    failure: () => assert.fail('no failure'),
  })
  await pause(30)
  assert.equal(chunks.length, 5)
  handle.resume()
  await pause(60)
  assert.ok(ended)
  const words = Buffer.concat(chunks)
    .toString()
    .match(/"content":"[^"]/g)
  assert.equal(words?.length, 200)
})

test('nothing follows an abort', async () => {
  let calls = 0
  const count = (): void => {
    calls += 1
  }
  const handle = client.call(request('sandbox: tokens=1000', { stream: true }), {
    head: count,
    data: () => {
      count()
      handle.abort()
    },
    end: count,
    failure: count,
  })
  await pause(30)
  assert.equal(calls, 2)
  handle.abort()
})

test('uploads are read, and a broken upload is reported', async () => {
  const upload = (act: (sink: BodySink) => void) =>
    request('', {
      path: '/v1/files',
      body: { length: undefined, start: act, pause: () => undefined, resume: () => undefined },
    })
  const sent = await call(
    upload((sink) => {
      sink.data(Buffer.from('--boundary'))
      sink.end()
    }),
  )
  assert.match(sent.body, /"bytes":10/)
  assert.equal((await call(upload((sink) => sink.failure()))).failure, 'body-source')
})
