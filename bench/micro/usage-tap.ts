/** Nanoseconds that a usage tap costs per relayed chunk, and per body. Run: node bench/micro/usage-tap.ts */

import type { DialectId } from '../../src/domain/dialect-id.ts'
import { createUsageTap, usageFromBody } from '../../src/metering/index.ts'

const rounds = 400_000

const chunk = (delta: object, rest: object = {}): Buffer =>
  Buffer.from(
    `data: ${JSON.stringify({
      id: 'chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG',
      object: 'chat.completion.chunk',
      created: 1_741_570_283,
      model: 'gpt-4o-2024-08-06',
      choices: [{ index: 0, delta, finish_reason: null }],
      ...rest,
    })}\n\n`,
  )

const cases: readonly (readonly [name: string, dialect: DialectId, bytes: Buffer, targetNs: number])[] = [
  ['openai-chat, 200 bytes', 'openai-chat', chunk({ content: ' token' }), 1000],
  ['openai-chat, "usage":null', 'openai-chat', chunk({ content: ' token' }, { usage: null }), 1000],
  [
    'anthropic, text delta',
    'anthropic-messages',
    Buffer.from(
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" token"}}\n\n',
    ),
    1000,
  ],
  [
    'gemini, figures in each event',
    'gemini',
    Buffer.from(
      'data: {"candidates":[{"content":{"parts":[{"text":" token"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":9,"totalTokenCount":13},"modelVersion":"gemini-2.5-flash"}\n\n',
    ),
    2000,
  ],
]

function report(name: string, nanoseconds: number, targetNs: number): void {
  const verdict = nanoseconds <= targetNs ? 'ok' : 'SLOW'
  process.stdout.write(
    `${name.padEnd(34)} ${nanoseconds.toFixed(0).padStart(6)} ns  target ${targetNs} ns  ${verdict}\n`,
  )
}

function measure(work: () => void): number {
  for (let i = 0; i < rounds / 4; i += 1) work()
  const start = process.hrtime.bigint()
  for (let i = 0; i < rounds; i += 1) work()
  return Number(process.hrtime.bigint() - start) / rounds
}

for (const [name, dialect, bytes, targetNs] of cases) {
  const tap = createUsageTap(dialect)
  const each = measure(() => tap.push(bytes))
  tap.finish(() => 0)
  report(name, each, targetNs)
}

const body = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-1',
    choices: [{ index: 0, message: { role: 'assistant', content: 'x'.repeat(1500) }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 19, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 0 } },
    service_tier: 'default',
  }),
)
report(
  'body of 2 KB',
  measure(() => usageFromBody('openai-chat', body)),
  5000,
)
