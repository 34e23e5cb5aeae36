/**
 * Microseconds that estimating the input of a request takes, by what it holds. Run: node bench/micro/estimate-input.ts
 *
 * Bound: 5 ms for any body. Only exchanges near a limit on tokens or money are estimated this way.
 */
import type { JsonObject } from '../../src/domain/json.ts'
import { sampleTexts } from '../../src/metering/harness/sample-texts.ts'
import { estimateInput, loadTokenizer } from '../../src/metering/index.ts'

const model = { provider: 'openai', model: 'gpt-5' }
const chat = (content: string): JsonObject => ({ messages: [{ role: 'user', content }] })
const filled = (text: string, chars: number): string =>
  text.repeat(Math.ceil(chars / text.length)).slice(0, chars)

const cases: readonly (readonly [name: string, body: JsonObject, targetMicros: number])[] = [
  ['a question of 50 characters', chat('What is the capital of the country north of Spain?'), 20],
  ['prose, 2 KB', chat(filled(sampleTexts.prose, 2000)), 150],
  ['code, 8 KB', chat(filled(sampleTexts.code, 8000)), 1000],
  ['Chinese, 8,000 characters', chat(filled(sampleTexts.chinese, 8000)), 5000],
  ['one run of letters, 8 KB', chat(filled('a', 8000)), 5000],
  ['prose, 1 MB', chat(filled(sampleTexts.prose, 1_000_000)), 5000],
  ['one run of letters, 1 MB', chat(filled('a', 1_000_000)), 5000],
]

const measureMs = 300

function measure(body: JsonObject): number {
  const given = { json: body, bytes: 0 }
  for (let warm = 0; warm < 20; warm += 1) estimateInput(given, model)
  const begun = performance.now()
  let rounds = 0
  for (; performance.now() - begun < measureMs; rounds += 1) estimateInput(given, model)
  return ((performance.now() - begun) * 1000) / rounds
}

await loadTokenizer(model)
for (const [name, body, targetMicros] of cases) {
  const micros = measure(body)
  const verdict = micros <= targetMicros ? 'ok' : 'SLOW'
  process.stdout.write(
    `${name.padEnd(30)} ${micros.toFixed(0).padStart(6)} µs  target ${targetMicros} µs  ${verdict}\n`,
  )
}
