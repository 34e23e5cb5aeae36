/**
 * A gateway before a misbehaving upstream, with the calls that tests make. One rig per test file: `rigForTests`
 * starts it before the tests and ends it after them; between tests the upstream forgets and the lists are emptied.
 */
import { after, before, beforeEach } from 'node:test'
import { Agent, request } from 'undici'
import { startUpstreamServer, type UpstreamServer } from '../../../test/fixtures/upstream/upstream-server.ts'
import { type StartedGateway, type StartGatewayOptions, startGateway } from './start-gateway.ts'

export const providerSecret = 'sk-provider-secret-51c7'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The body as JSON. */
  json(): Record<string, unknown>
  /** The code of an error in whichever dialect; empty where there is none. */
  readonly faultCode: string
  readonly message: string
}

export interface CallOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON. */
  readonly body?: object | string | Uint8Array | AsyncIterable<Uint8Array>
  /** False: without credentials. */
  readonly authorized?: boolean
}

export interface GatewayRig {
  readonly upstream: UpstreamServer
  readonly started: StartedGateway
  call(path: string, options?: CallOptions): Promise<Answer>
  /** A chat completion; `own` is merged into the body. */
  chat(own?: object, headers?: Readonly<Record<string, string>>): Promise<Answer>
  stop(): Promise<void>
}

/** Start a gateway whose options may point to the upstream. */
export async function startRig(
  options: (upstream: UpstreamServer) => StartGatewayOptions,
): Promise<GatewayRig> {
  const upstream = await startUpstreamServer()
  const started = await startGateway(options(upstream)).catch(async (error: unknown) => {
    await upstream.close()
    throw error
  })
  const dispatcher = new Agent()
  const call = async (path: string, own: CallOptions = {}): Promise<Answer> => {
    const isPlain = typeof own.body === 'object' && !isBytes(own.body)
    const response = await request(`${started.url}${path}`, {
      dispatcher,
      method: (own.method ?? (own.body === undefined ? 'GET' : 'POST')) as 'GET',
      headers: {
        ...(own.authorized === false ? {} : { authorization: `Bearer ${started.apiKey}` }),
        ...(own.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...own.headers,
      },
      body: isPlain ? JSON.stringify(own.body) : ((own.body as Buffer | string | undefined) ?? null),
    })
    return answerOf(response.statusCode, response.headers, await response.body.text())
  }
  return {
    upstream,
    started,
    call,
    chat: (own = {}, headers = {}) =>
      call('/v1/chat/completions', {
        headers,
        body: { model: 'gpt', messages: [{ role: 'user', content: 'sandbox: say=hello' }], ...own },
      }),
    async stop() {
      await dispatcher.destroy()
      await started.stop()
      await upstream.close()
    },
  }
}

function isBytes(body: object): boolean {
  return body instanceof Uint8Array || Symbol.asyncIterator in body
}

/** Each dialect has its own place for the code. */
const codePattern = /"(?:code|reason|error_code)":"([a-z]+\.[a-z-]+)"/

function answerOf(status: number, headers: Answer['headers'], text: string): Answer {
  const json = (): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>
  return {
    status,
    headers,
    text,
    json,
    faultCode: codePattern.exec(text)?.[1] ?? '',
    get message() {
      return String((json()['error'] as { message?: unknown } | undefined)?.message)
    },
  }
}

/** A rig for all tests of one file. The parts are there once the tests run. */
export function rigForTests(options: (upstream: UpstreamServer) => StartGatewayOptions): GatewayRig {
  let rig: GatewayRig | null = null
  const current = (): GatewayRig => {
    if (rig === null) throw new TypeError('the rig has not been started')
    return rig
  }
  before(async () => {
    rig = await startRig(options)
  })
  beforeEach(() => {
    current().upstream.clear()
    current().started.forgetHealth()
    current().started.records.length = 0
    current().started.notes.length = 0
    current().started.traces.length = 0
  })
  after(() => current().stop())
  return {
    get upstream() {
      return current().upstream
    },
    get started() {
      return current().started
    },
    call: (path, own) => current().call(path, own),
    chat: (own, headers) => current().chat(own, headers),
    stop: async () => {},
  }
}
