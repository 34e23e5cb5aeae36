/**
 * What a caller sees when a provider misbehaves: every fault of the test provider, once for a route with one
 * deployment and once where another one is left, whole and streamed, with the default policy. Run it to write the
 * table of the reference:
 *
 *   node test/attack/upstream-fault-table.ts
 */
import { writeFileSync } from 'node:fs'
import { type Answer, type GatewayRig, startRig } from '../../src/gateway/harness/gateway-rig.ts'
import { testDeployment, testRoute, testTimeouts } from '../../src/gateway/harness/start-gateway.ts'
import { type Fault, findRefusedUrl } from '../fixtures/upstream/upstream-server.ts'

interface Case {
  readonly does: string
  /** Null: nobody listens. */
  readonly fault: Fault | null
  readonly only?: 'whole' | 'streamed'
  /** The other deployment does the same. */
  readonly isStorm?: boolean
}

const status = (code: number, headers: Readonly<Record<string, string>> = {}): Fault => ({
  kind: 'status',
  status: code,
  headers,
})
const errorEvent = (type: string): string => `data: {"error":{"message":"as asked","type":"${type}"}}\n\n`

const cases: readonly Case[] = [
  { does: 'refuses the connection', fault: null },
  { does: 'resets the connection', fault: { kind: 'reset' } },
  { does: 'closes the connection without an answer', fault: { kind: 'close' } },
  { does: 'accepts the request and says nothing', fault: { kind: 'hang' } },
  { does: 'answers something that is not HTTP', fault: { kind: 'raw', bytes: 'SSH-2.0-x\r\n' } },
  {
    does: 'names two lengths',
    fault: { kind: 'raw', bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx' },
  },
  { does: 'redirects', fault: status(302, { location: 'http://127.0.0.1:1/' }) },
  { does: 'refuses the request (400)', fault: status(400) },
  { does: 'refuses the credential (401)', fault: status(401) },
  { does: 'forbids the model to the credential (403)', fault: status(403) },
  { does: 'does not know the model (404)', fault: status(404) },
  { does: 'asks for a pause of 30 seconds (429)', fault: status(429, { 'retry-after': '30' }) },
  {
    does: 'asks for a pause, and so does the other (429)',
    fault: status(429, { 'retry-after': '30' }),
    isStorm: true,
  },
  { does: 'fails (500)', fault: status(500) },
  { does: 'is overloaded (503)', fault: status(503) },
  { does: 'is overloaded, and so is the other (503)', fault: status(503), isStorm: true },
  { does: 'sends fewer bytes than announced', fault: { kind: 'wrong-length' }, only: 'whole' },
  { does: 'stops in the middle of its answer', fault: { kind: 'stall', afterBytes: 100 }, only: 'whole' },
  { does: 'resets in the middle of its answer', fault: { kind: 'cut', afterBytes: 100 }, only: 'whole' },
  {
    does: 'answers JSON that is none',
    fault: { kind: 'status', status: 200, body: '{"choices":' },
    only: 'whole',
  },
  { does: 'sends its answer in slow drops', fault: { kind: 'drip', pieceBytes: 64, delayMs: 5 } },
  {
    does: 'begins with an error event',
    fault: { kind: 'stream', bytes: errorEvent('server_error') },
    only: 'streamed',
  },
  {
    does: 'begins with an error event about the request',
    fault: { kind: 'stream', bytes: errorEvent('invalid_request_error') },
    only: 'streamed',
  },
  { does: 'ends without an event', fault: { kind: 'stream', bytes: '' }, only: 'streamed' },
  { does: 'sends events that cannot be read', fault: { kind: 'malformed-sse' }, only: 'streamed' },
  {
    does: 'sends a comment and then nothing',
    fault: { kind: 'stream', bytes: ': wait\n\n', staysOpen: true },
    only: 'streamed',
  },
  { does: 'stops before the first content', fault: { kind: 'stall', afterBytes: 60 }, only: 'streamed' },
  { does: 'stops after some content', fault: { kind: 'stall', afterBytes: 900 }, only: 'streamed' },
  { does: 'resets after some content', fault: { kind: 'cut', afterBytes: 900 }, only: 'streamed' },
]

const modes = ['whole', 'streamed'] as const
type Mode = (typeof modes)[number]

interface Row {
  readonly does: string
  readonly alone: string
  readonly meanwhile: string
  readonly another: string
}

const slugsOf = (mode: Mode, index: number) =>
  ['alone', 'first', 'other'].map((role) => `${mode}-${index}-${role}`)

async function startFaultRig(): Promise<GatewayRig> {
  const refused = await findRefusedUrl()
  const timeouts = { ...testTimeouts, firstByteMs: 700, idleMs: 700 }
  const all = modes.flatMap((mode) => cases.map((each, index) => ({ ...each, mode, index })))
  return startRig((upstream) => ({
    deployments: all.flatMap(({ fault, isStorm, mode, index }) =>
      slugsOf(mode, index).map((id) => {
        const baseUrl = fault === null && (isStorm === true || !id.endsWith('other')) ? refused : upstream.url
        return testDeployment({
          id,
          providerId: 'openai',
          baseUrl,
          secrets: { apiKey: `sk-${id}` },
          timeouts,
        })
      }),
    ),
    routes: all.flatMap(({ mode, index }) => {
      const [alone = '', first = '', other = ''] = slugsOf(mode, index)
      return [testRoute(alone, [alone]), testRoute(first, [first, other])].map((route) => ({
        ...route,
        policy: {},
      }))
    }),
  }))
}

async function ask(rig: GatewayRig, model: string, mode: Mode): Promise<string> {
  const messages = [{ role: 'user', content: 'sandbox: tokens=50' }]
  try {
    return describe(await rig.chat({ model, messages, stream: mode === 'streamed' }), mode)
  } catch {
    return 'the connection is cut'
  }
}

function describe(answer: Answer, mode: Mode): string {
  const { status: code, faultCode } = answer
  const retryAfter = answer.headers['retry-after']
  const pause = retryAfter === undefined ? '' : `, \`Retry-After: ${String(retryAfter)}\``
  if (code !== 200)
    return faultCode === '' ? `${code} of the provider${pause}` : `${code} \`${faultCode}\`${pause}`
  if (faultCode !== '') return `200, last event \`${faultCode}\``
  const served = answer.headers['x-gatewright-attempts'] === '2' ? 'served by the other' : 'served'
  const isWhole = mode === 'whole' ? isJson(answer) : answer.text.includes('data: [DONE]')
  return isWhole ? served : '200, passed on as it is'
}

function isJson(answer: Answer): boolean {
  try {
    return Array.isArray(answer.json()['choices'])
  } catch {
    return false
  }
}

/** All at once: each case has deployments of its own. */
async function measure(rig: GatewayRig, mode: Mode): Promise<Row[]> {
  const rows = await Promise.all(
    cases.map(async ({ does, fault, only, isStorm }, index) => {
      if (only !== undefined && only !== mode) return null
      const [alone = '', first = '', other = ''] = slugsOf(mode, index)
      for (const slug of isStorm === true ? [alone, first, other] : [alone, first])
        rig.upstream.failFor(`sk-${slug}`, fault)
      const another = ask(rig, first, mode)
      const seen = await ask(rig, alone, mode)
      return { does, alone: seen, meanwhile: await ask(rig, alone, mode), another: await another }
    }),
  )
  return rows.filter((row) => row !== null)
}

function tableOf(rows: readonly Row[]): string[] {
  return [
    '| the provider | one deployment | the next request to it | another deployment is left |',
    '|---|---|---|---|',
    ...rows.map(
      ({ does, alone, meanwhile, another }) => `| ${does} | ${alone} | ${meanwhile} | ${another} |`,
    ),
  ]
}

/** The reference page, from a run against the real thing. */
export async function writeUpstreamFaultTable(): Promise<string> {
  const rig = await startFaultRig()
  try {
    return [
      '<!-- Written by test/attack/upstream-fault-table.ts from what a caller saw; a test compares it. -->',
      '# What callers see when a provider fails',
      '',
      'Each line is a provider that misbehaves on purpose, asked through Gatewright with the default routing policy, in',
      'the Chat Completions dialect. "The next request" is made at once, while the provider still does the same. "Served"',
      'means a whole and true answer. Codes in `this type` are explained in [the list of errors](../errors/README.md), and',
      'how a route fails over is in [the guide to routing](../guides/routing.md).',
      '',
      '## Whole answers',
      '',
      ...tableOf(await measure(rig, 'whole')),
      '',
      '## Streams',
      '',
      'Where another deployment is left, the beginning of a stream is held back until its first content, so a stream that',
      'fails by then is replaced unseen. After the first content nothing is replaced: the stream ends with an error event.',
      '',
      ...tableOf(await measure(rig, 'streamed')),
      '',
    ].join('\n')
  } finally {
    await rig.stop()
  }
}

export const upstreamFaultPage = new URL('../../docs/reference/upstream-faults.md', import.meta.url)

if (import.meta.main) writeFileSync(upstreamFaultPage, await writeUpstreamFaultTable())
