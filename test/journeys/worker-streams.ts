/**
 * Streams that are under way on every worker of one process, each on a connection of its own. The kernel chooses the
 * worker of a connection, so more are opened until each has some; the workers' own reports say how many it has.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'

export interface Reached {
  /** Origin of the data plane. */
  readonly http: string
  /** Origin of the control plane. */
  readonly control: string
  readonly adminToken: string
  readonly apiKey: string
}

export interface StreamEnd {
  /** What came of the stream until it ended or broke. */
  readonly text: string
  /** It did not come to the end of its body. */
  readonly broken: boolean
  /** `performance.now()` */
  readonly at: number
}

export interface WorkerStreams {
  /** Streams under way, by worker. */
  readonly perWorker: ReadonlyMap<number, number>
  readonly ends: readonly Promise<StreamEnd>[]
  close(): Promise<void>
}

const atOnce = 8
const maxStreams = 64
const withinMs = 15_000

export function askModel(target: Pick<Reached, 'http' | 'apiKey'>, body: object, dispatcher?: Agent) {
  return request(`${target.http}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${target.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }], ...body }),
    ...(dispatcher === undefined ? {} : { dispatcher }),
  })
}

async function openStream(target: Reached, content: string, agent: Agent): Promise<Promise<StreamEnd>[]> {
  const response = await askModel(target, { stream: true, messages: [{ role: 'user', content }] }, agent)
  if (response.statusCode !== 200) throw new Error(`a stream was answered with ${response.statusCode}`)
  const read = async (): Promise<StreamEnd> => {
    let text = ''
    let broken = false
    try {
      for await (const chunk of response.body) text += String(chunk)
    } catch {
      broken = true
    }
    return { text, broken, at: performance.now() }
  }
  return [read()]
}

async function readLoads({ control, adminToken }: Reached): Promise<ReadonlyMap<number, number>> {
  const headers = { authorization: `Bearer ${adminToken}` }
  const response = await request(`${control}/api/v1/status`, { headers })
  const { load } = (await response.body.json()) as { load: { worker: number; underWay: number }[] }
  return new Map(load.map(({ worker, underWay }) => [worker, underWay]))
}

/** Each report is at most what is under way, so all are exact once they add up to `total`. */
async function exactLoads(target: Reached, total: number): Promise<ReadonlyMap<number, number>> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const loads = await readLoads(target)
    if ([...loads.values()].reduce((sum, each) => sum + each, 0) === total) return loads
    if (Date.now() > deadline) throw new Error(`the workers do not report ${total} streams`)
    await sleep(50)
  }
}

/** `content`: what the sandbox model is told; a stream must last some seconds. Nothing else may be under way. */
export async function openOnEachWorker(
  target: Reached,
  workers: number,
  content: string,
): Promise<WorkerStreams> {
  const agents: Agent[] = []
  const ends: Promise<StreamEnd>[] = []
  for (;;) {
    const opening = Array.from({ length: atOnce }, () => new Agent())
    agents.push(...opening)
    const opened = await Promise.all(opening.map((agent) => openStream(target, content, agent)))
    ends.push(...opened.flat())
    const perWorker = await exactLoads(target, ends.length)
    const busy = [...perWorker.values()].filter((each) => each > 0).length
    if (busy === workers)
      return {
        perWorker,
        ends,
        close: async () => void (await Promise.all(agents.map((agent) => agent.destroy()))),
      }
    if (ends.length >= maxStreams)
      throw new Error(`${ends.length} streams reached ${busy} of ${workers} workers`)
  }
}
