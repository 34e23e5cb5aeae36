/**
 * CPU milliseconds of the default guard on text that it has not seen before. Run: node bench/micro/inspection.ts
 * Exits 1 where 1 KB takes more than 0.2 ms, 100 KB more than 20 ms, or one step of the work more than 5 ms.
 */
import { guardPlaces } from '../../src/domain/guards.ts'
import { compileGuardSet, createVerdictCache, inspectBody } from '../../src/inspection/index.ts'

const guards = compileGuardSet([
  {
    id: 'grd_1',
    organizationId: 'org_1',
    name: 'no-secrets',
    detector: 'secrets',
    places: guardPlaces,
    rules: null,
    threshold: 0.5,
    action: 'mask',
    mode: 'enforce',
    streaming: 'cut',
    onFailure: 'closed',
    match: { applications: null, products: null, routes: null, models: null, keys: null },
  },
])
if (guards === null) throw new TypeError('the guard holds nowhere')

const words =
  'the model reads a document about key rotation at https://example.org/docs?page=2&lang=en and answers: ' +
  'const token = await session.client.get(`/api/v1/keys`) // returns 200; Größe 12 €, naïve café, 東京 — '

function textOf(characters: number, round: number): string {
  return `${round} ${words}`.repeat(Math.ceil(characters / words.length)).slice(0, characters)
}

/** CPU time of this thread per body, and for the longest step. */
function measure(characters: number, rounds: number): { readonly ms: number; readonly stepMs: number } {
  const bodies = Array.from({ length: rounds }, (_, round) =>
    Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: textOf(characters, round) }] })),
  )
  const cache = createVerdictCache()
  const terms = { guards, other: 'request', organizationId: 'org_1', cache } as const
  let stepMs = 0
  const before = process.threadCpuUsage()
  for (const body of bodies) {
    const work = inspectBody(body, terms as Parameters<typeof inspectBody>[1])
    for (;;) {
      const from = process.threadCpuUsage()
      const step = work.next()
      const { user, system } = process.threadCpuUsage(from)
      stepMs = Math.max(stepMs, (user + system) / 1000)
      if (step.done === true) break
    }
  }
  const { user, system } = process.threadCpuUsage(before)
  return { ms: (user + system) / 1000 / rounds, stepMs }
}

const most: readonly (readonly [number, number, number])[] = [
  [1024, 2000, 0.2],
  [102_400, 60, 20],
]
let failed = false
for (const [characters, rounds, limitMs] of most) {
  measure(characters, rounds)
  const { ms, stepMs } = measure(characters, rounds)
  process.stdout.write(
    `${characters} characters: ${ms.toFixed(4)} ms (at most ${limitMs}), longest step ${stepMs.toFixed(2)} ms\n`,
  )
  failed ||= ms > limitMs || stepMs > 5
}
process.exitCode = failed ? 1 : 0
