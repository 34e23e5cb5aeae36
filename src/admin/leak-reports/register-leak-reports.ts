/**
 * `POST /leak-reports/github` and `POST /leak-reports`: reports that a key leaked, from those whom the configuration
 * names. Beside the API, because the form is GitHub's and the proof is a signature over the raw body.
 *
 * Who signed nothing learns nothing: an unknown reporter, a wrong signature and an old one are one answer, told before
 * any token is looked at. Nobody but GitHub is told which tokens were real. A wrong signature of another reporter is a
 * failed sign-in of the address, for its secret could be guessed; a right one is taken whatever came before from there,
 * for a leak that is not heard of is worse. Bounds: `bodyLimit`, `maxTokens`.
 */
import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isJsonObject } from '../../domain/json.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { AdminDependencies } from '../context.ts'
import { createGithubKeys } from './github-keys.ts'
import { findReporter, isFromGithub, type SignedReport } from './report-signatures.ts'
import { type LeakedToken, takeReport } from './take-report.ts'

const bodyLimit = 1_048_576
const maxTokens = 5000
/** A token of ours has 72 characters at the most; what is longer is none. */
const maxTextLength = 2048

export function registerLeakReports(app: FastifyInstance, deps: AdminDependencies): void {
  const githubKeys = createGithubKeys({
    client: () => deps.leakReports.client,
    monotonic: () => deps.clock.monotonic(),
  })

  async function github(request: FastifyRequest): Promise<unknown> {
    const { github: config } = deps.leakReports.settings()
    if (config === undefined) throw notServed(request)
    const report = signedReport(request)
    if (!(await isFromGithub(report, config, githubKeys))) throw new Fault(faults.leakReportUnsigned)
    const answer: { token_hash: string; token_type: string; label: string }[] = []
    for (const leaked of readTokens(report.body)) {
      const isOurs = await takeReport(leaked, { deps, reporter: 'github' })
      const token_hash = createHash('sha256').update(leaked.token).digest('hex')
      const label = isOurs ? 'true_positive' : 'false_positive'
      answer.push({ token_hash, token_type: leaked.type, label })
    }
    return answer
  }

  async function others(request: FastifyRequest): Promise<unknown> {
    const { reporters } = deps.leakReports.settings()
    if (reporters.length === 0) throw notServed(request)
    const report = signedReport(request)
    const { readReference } = deps.leakReports
    const reporter = findReporter(report, { reporters, readReference, now: deps.clock.now() })
    if (reporter === null) {
      await deps.signIns.failed(request.ip)
      throw new Fault(faults.leakReportUnsigned)
    }
    const tokens = readTokens(report.body)
    for (const leaked of tokens) await takeReport(leaked, { deps, reporter })
    return { received: tokens.length }
  }

  // A context of its own: here alone a body stays the bytes that were signed.
  void app.register((scope, _options, registered) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit }, (_request, body, done) =>
      done(null, body),
    )
    const route = { method: 'POST', bodyLimit, schema: { hide: true } } as const
    scope.route({ ...route, url: '/leak-reports/github', handler: github })
    scope.route({ ...route, url: '/leak-reports', handler: others })
    registered()
  })
}

function notServed({ method, url }: FastifyRequest): Fault {
  return new Fault(faults.notFound, { public: { method, path: url.split('?', 1)[0] ?? '' } })
}

function signedReport({ body, headers }: FastifyRequest): SignedReport {
  const header = (name: string): string => {
    const value = headers[name]
    return typeof value === 'string' ? value : ''
  }
  return { body: Buffer.isBuffer(body) ? body : Buffer.alloc(0), header }
}

/** @throws Fault 400 */
function readTokens(body: Buffer): LeakedToken[] {
  let list: unknown
  try {
    list = JSON.parse(body.toString('utf8'))
  } catch {
    throw new Fault(faults.malformedJson)
  }
  if (!Array.isArray(list) || list.length > maxTokens) {
    const reason = `it is not a list of at most ${maxTokens} objects`
    throw new Fault(faults.invalidField, { public: { field: 'body', reason } })
  }
  return (list as readonly unknown[]).map((entry) => {
    const text = (name: string): string => {
      const value = isJsonObject(entry) ? entry[name] : undefined
      return typeof value === 'string' ? value.slice(0, maxTextLength) : ''
    }
    return { token: text('token'), type: text('type'), url: text('url'), source: text('source') }
  })
}
