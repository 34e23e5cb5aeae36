/** Runs wrk: as many requests as come back, on a fixed number of connections (closed loop). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../../tools/run-program.ts'
import { requireSystemProgram } from '../../tools/system-packages.ts'
import type { Endpoint } from './call.ts'
import { loadCore, onCore } from './processes.ts'

export interface WrkResult {
  readonly perSecond: number
  readonly requests: number
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

/** @throws Error when any answer was not 2xx, or none came */
export async function runWrk(
  endpoint: Endpoint,
  load: { readonly body: string; readonly connections: number; readonly seconds: number },
): Promise<WrkResult> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-wrk-'))
  const script = join(folder, 'post.lua')
  const headers = { 'content-type': 'application/json', ...endpoint.headers }
  const lines = Object.entries(headers).map(
    ([name, value]) => `wrk.headers[${quoted(name)}] = ${quoted(value)}`,
  )
  writeFileSync(script, `wrk.method = 'POST'\nwrk.body = ${quoted(load.body)}\n${lines.join('\n')}\n`)
  const scheme = endpoint.authority === null ? 'http' : 'https'
  const url = `${scheme}://127.0.0.1:${endpoint.port}${endpoint.path}`
  const args = ['-t', '1', '-c', String(load.connections), '-d', `${load.seconds}s`, '-s', script, url]
  const [program, programArgs] = onCore(loadCore, [requireSystemProgram('wrk'), ...args])
  try {
    const run = await runProgram(program, programArgs, { cwd: folder })
    const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(run.stdout)?.[1] ?? Number.NaN)
    const requests = Number(/(\d+) requests in/.exec(run.stdout)?.[1] ?? Number.NaN)
    const refused = /Non-2xx or 3xx responses: (\d+)/.exec(run.stdout)
    if (refused !== null) throw new Error(`${refused[1]} of ${requests} answers at ${url} were not 200`)
    if (!(requests > 0)) throw new Error(`wrk measured nothing at ${url}: ${run.stdout}${run.stderr}`)
    return { perSecond, requests }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
