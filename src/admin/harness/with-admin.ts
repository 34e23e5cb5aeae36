/**
 * One test on a fresh admin API with a small world in it: organizations `acme` and `globex`; in `acme` the
 * application `shop`, the product `chat`, the deployment `main` and the model route `gpt`; tokens of every kind.
 * Every answer is checked against what its operation promises: status and schema.
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Compile } from 'typebox/compile'
import type { operations } from '../../../clients/typescript/schema.gen.ts'
import type { AdminScope } from '../../domain/entities.ts'
import { faults } from '../../faults/catalogue.ts'
import { apiPrefix } from '../create-admin-api.ts'
import type { ErrorBody } from '../error-reply.ts'
import { issueAdminToken } from '../issue-admin-token.ts'
import { type AdminRow, adminTable } from '../register.ts'
import { promisedFaults } from '../route-schema.ts'
import { errorBody } from '../schemas.ts'
import { type StartedAdmin, startAdmin } from './start-admin.ts'

export interface Call {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | number>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Token text; `null`: none. The unbound administrator's when left out. */
  readonly token?: string | null
  /** Where it comes from. */
  readonly address?: string
}

type Content<R> = R extends { content: { 'application/json': infer B } } ? B : null
type Success<R> = R extends { 200: infer O } ? Content<O> : R extends { 201: infer O } ? Content<O> : null

/** What an operation answers when it succeeds, as its description says. */
type BodyOf<N extends string> = N extends keyof operations ? Success<operations[N]['responses']> : unknown

/** A body that has been checked against what the operation promises for its status. */
export interface Answer<B> {
  readonly status: number
  readonly body: B
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
}

export interface TestAdmin extends StartedAdmin {
  /** Unbound, scope `admin`. */
  readonly admin: string
  /** Call an operation by name. `organization` is `acme` unless given. */
  call<N extends string>(name: N, call?: Call): Promise<Answer<BodyOf<N>>>
  /** The same, refused: asserts status and code. */
  refuses(name: string, call: Call, expected: Refusal): Promise<Answer<ErrorBody>>
  /** A token with these scopes, bound to the organization of this slug if one is given. */
  token(scopes: readonly AdminScope[], organization?: string): Promise<string>
}

export interface Refusal {
  readonly status: number
  readonly code: string
  readonly param?: string | null
}

function rowOf(name: string): AdminRow {
  const row = adminTable.find((candidate) => candidate.name === name)
  assert.ok(row !== undefined, `no operation ${name}`)
  return row
}

export function pathFor(row: AdminRow, call: Call): string {
  const params: Readonly<Record<string, string>> = { organization: 'acme', ...call.params }
  const path = row.path.replace(/:([a-z]+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
  const query = new URLSearchParams(
    Object.entries(call.query ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
  )
  return `${apiPrefix}${path}${query.size > 0 ? `?${query}` : ''}`
}

const checkError = Compile(errorBody)

function checkPromise(row: AdminRow, answer: Answer<unknown>): void {
  const { success } = row.operation
  const where = `${row.name} answered ${answer.status} ${answer.text}`
  if (answer.status >= 400) {
    assert.ok(checkError.Check(answer.body), where)
    const promised = promisedFaults(row).map((name) => faults[name].code)
    assert.ok(promised.includes((answer.body as ErrorBody).error.code), `${where}, which it does not promise`)
    return
  }
  assert.equal(answer.status, success.status, where)
  if (!('schema' in success)) return
  const problems = Compile(success.schema).Errors(answer.body)
  assert.deepEqual(problems, [], where)
}

async function call(
  started: StartedAdmin,
  row: AdminRow,
  request: Call & { token: string | null },
): Promise<Answer<unknown>> {
  const reply = await started.app.inject({
    method: row.method,
    url: pathFor(row, request),
    remoteAddress: request.address ?? '127.0.0.1',
    headers: {
      ...request.headers,
      ...(request.token === null ? {} : { authorization: `Bearer ${request.token}` }),
    },
    ...(request.body === undefined ? {} : { payload: request.body as object }),
  })
  const json = String(reply.headers['content-type'] ?? '').startsWith('application/json')
  const body: unknown = json ? reply.json() : null
  const answer = { status: reply.statusCode, body, text: reply.body, headers: reply.headers }
  checkPromise(row, answer)
  return answer
}

async function seed(admin: TestAdmin): Promise<void> {
  const make = async (name: string, body: object): Promise<void> => {
    const { status, text } = await admin.call(name, { body })
    assert.equal(status, 201, text)
  }
  await make('organization-create', { slug: 'acme', name: 'Acme' })
  await make('organization-create', { slug: 'globex' })
  await make('application-create', { slug: 'shop', name: 'Web shop' })
  await make('product-create', { slug: 'chat', state: 'published', operations: ['*'], models: ['*'] })
  await make('deployment-create', {
    slug: 'main',
    provider: 'openai',
    credential: { secrets: { apiKey: 'sk-very-secret' } },
  })
  await make('route-create', { name: 'gpt', aliases: ['gpt-latest'], targets: [{ deployment: 'main' }] })
}

async function prepare(): Promise<TestAdmin> {
  const started = await startAdmin()
  const everything = { organizationId: null, expiresAt: null, managedBy: 'setup' } as const
  const first = await issueAdminToken(started.deps, { name: 'test', scopes: ['admin'], ...everything })
  const admin: TestAdmin = {
    ...started,
    admin: first.secret,
    async call<N extends string>(name: N, request: Call = {}) {
      const answer = await call(started, rowOf(name), { token: first.secret, ...request })
      return answer as Answer<BodyOf<N>>
    },
    async refuses(name, request, expected) {
      const answer = (await admin.call(name, request)) as Answer<ErrorBody>
      assert.equal(answer.status, expected.status, answer.text)
      assert.equal(answer.body.error.code, expected.code, answer.text)
      if (expected.param !== undefined) assert.equal(answer.body.error.param, expected.param, answer.text)
      return answer
    },
    async token(scopes, organization) {
      const found =
        organization === undefined ? null : await started.deps.store.organizations.find(organization)
      const order = { ...everything, name: 'test', scopes, organizationId: found?.id ?? null }
      return (await issueAdminToken(started.deps, order)).secret
    },
  }
  await seed(admin)
  return admin
}

/** A test body that gets a seeded admin API, stopped afterwards whatever happens. */
export function withAdmin(body: (admin: TestAdmin) => Promise<void>): (t: TestContext) => Promise<void> {
  return async (t) => {
    const admin = await prepare()
    t.after(() => admin.stop())
    await body(admin)
  }
}
