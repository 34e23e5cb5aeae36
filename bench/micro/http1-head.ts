/** Microseconds to read one request head of 12 fields. Run: node bench/micro/http1-head.ts */
import { parseRequestHead } from '../../src/adapters/http1/head.ts'
import { createHeadReader } from '../../src/adapters/http1/head-reader.ts'

const head = Buffer.from(
  [
    'POST /v1/chat/completions HTTP/1.1',
    'Host: gateway.example:8443',
    'Accept: application/json',
    'Content-Type: application/json',
    'User-Agent: OpenAI/JS 7.57.0',
    'X-Stainless-Lang: js',
    'X-Stainless-OS: Linux',
    'X-Stainless-Retry-Count: 0',
    'X-Stainless-Timeout: 600',
    `Authorization: Bearer gwr_live_k3x9s2_${'a'.repeat(43)}_abcdef`,
    'Accept-Encoding: gzip, deflate, br',
    'Connection: keep-alive',
    'Content-Length: 1024',
    '',
    '',
  ].join('\r\n'),
)
const rounds = 200_000

function run(): number {
  const reader = createHeadReader()
  let seen = 0
  const started = performance.now()
  for (let round = 0; round < rounds; round += 1) {
    const end = reader.push(head, 65_536)
    const parsed = parseRequestHead(reader.bytes, { start: 0, end }, 100)
    if (typeof parsed !== 'string') seen += parsed.headers.length
    reader.reset()
  }
  if (seen !== rounds * 24) throw new Error('the head was not read')
  return ((performance.now() - started) * 1000) / rounds
}

run()
const figures = [run(), run(), run()].sort((a, b) => a - b)
process.stdout.write(
  `${JSON.stringify({ bench: 'http1-head', microseconds: figures[1], bytes: head.length })}\n`,
)
