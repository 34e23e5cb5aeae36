/** `gatewright issuers`: whose access tokens are taken, and which are not taken any more. */
import type { Command } from 'commander'
import type { components } from '../../../clients/typescript/schema.gen.ts'
import { CliFailure } from '../cli-failure.ts'
import { argument, collect, defineCommand, defineGroup, parseList, runs } from '../define-command.ts'
import { type CliIo, pageAfter, take, takeAll } from '../session.ts'
import { type Column, formatFields, formatTime } from '../table.ts'

type Schemas = components['schemas']
type Issuer = Schemas['TokenIssuer']
type Revocation = Schemas['TokenRevocation']

const issuers = '/api/v1/organizations/{organization}/token-issuers'
const member = '/api/v1/organizations/{organization}/token-issuers/{id}'
const revocations = '/api/v1/organizations/{organization}/token-issuers/{id}/revocations'

function describeApplication({ application: { slug, claim } }: Issuer): string {
  return slug ?? `claim ${claim}`
}

function describeKeys({ keys, introspection }: Issuer): string {
  if (introspection != null) return 'asked for'
  if (keys === null) return 'none yet'
  return keys.problem === null ? `${keys.keyIds.length} keys` : `${keys.keyIds.length} keys; ${keys.problem}`
}

const columns: readonly Column<Issuer>[] = [
  { head: 'Name', text: ({ name }) => name },
  { head: 'Issuer', text: ({ issuer }) => issuer },
  { head: 'Audiences', text: ({ audiences }) => audiences.join(', ') || 'any' },
  { head: 'Application', text: describeApplication },
  { head: 'Keys', text: describeKeys },
  { head: 'Enabled', text: ({ enabled }) => (enabled === false ? 'no' : 'yes') },
  { head: 'Managed by', text: ({ managedBy }) => managedBy },
]

function showIssuer(issuer: Issuer): string {
  const { keys, dpop, scopes = [] } = issuer
  return formatFields([
    ['Name', issuer.name],
    ['Issuer', issuer.issuer],
    ['Enabled', issuer.enabled === false ? 'no' : 'yes'],
    ['Audiences', issuer.audiences.join(', ') || 'any'],
    ['Algorithms', issuer.algorithms?.join(', ') ?? '–'],
    ['Application', describeApplication(issuer)],
    ['Scopes', scopes.map(({ scope }) => scope).join(', ') || 'not looked at'],
    ['DPoP', dpop?.mode ?? 'off'],
    ['Keys', describeKeys(issuer)],
    ['Fetched', keys?.fetchedAt == null ? '–' : formatTime(keys.fetchedAt)],
    ['Managed by', issuer.managedBy],
  ])
}

interface AddIssuer {
  readonly audience?: readonly string[]
  readonly app?: string
  readonly appClaim?: string
  readonly jwksUri?: string
  readonly algorithms?: string
  readonly userClaim?: string
  readonly teamClaim?: string
  readonly require?: readonly string[]
  readonly dpop?: string
  readonly origin?: readonly string[]
  readonly allowPrivateNetwork?: boolean
}

/** `tid=abc` or `tid`. */
function requiredOf(texts: readonly string[]): Record<string, string[]> {
  const required: Record<string, string[]> = {}
  for (const text of texts) {
    const [name = '', ...value] = text.split('=')
    required[name] = [...(required[name] ?? []), ...(value.length === 0 ? [] : [value.join('=')])]
  }
  return required
}

type GivenIssuer = Omit<
  Issuer,
  'id' | 'createdAt' | 'updatedAt' | 'managedBy' | 'organizationId' | 'credential' | 'keys'
>

function bodyOf(name: string, issuer: string, options: AddIssuer): GivenIssuer {
  const { audience = [], app, appClaim, jwksUri, algorithms, userClaim, teamClaim, require, dpop } = options
  if ((app === undefined) === (appClaim === undefined))
    throw new CliFailure('usage', 'Say which application its tokens belong to.', 'Give --app or --app-claim.')
  // The words of options go as they are: the control plane knows which there are, and says so.
  return {
    name,
    issuer,
    audiences: [...audience],
    application: {
      ...(app === undefined ? {} : { slug: app }),
      ...(appClaim === undefined ? {} : { claim: appClaim }),
    },
    ...(jwksUri === undefined ? {} : { jwksUri }),
    ...(algorithms === undefined ? {} : { algorithms: parseList(algorithms) }),
    ...(userClaim === undefined ? {} : { userClaim }),
    ...(teamClaim === undefined ? {} : { teamClaim }),
    ...(require === undefined ? {} : { requiredClaims: requiredOf(require) }),
    ...(dpop === undefined ? {} : { dpop: { mode: dpop, origins: [...(options.origin ?? [])] } }),
    ...(options.allowPrivateNetwork === true ? { allowPrivateNetwork: true } : {}),
  } as GivenIssuer
}

function addAdd(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'add <name> <issuer>',
    summary:
      'Take access tokens of an issuer; what only a file can say (scopes, introspection) goes into one',
    examples: [
      [
        'gatewright issuers add corporate https://login.example.com --audience https://llm.example.com --app shop',
        'Keys found by discovery',
      ],
      [
        'gatewright issuers add clusters https://k8s.example.com --jwks-uri https://k8s.example.com/openid/v1/jwks --audience gatewright --app-claim sub',
        'The application is named by a claim',
      ],
    ],
  })
    .option('--audience <audience>', 'value that aud must have; may be repeated', collect)
    .option('--app <application>', 'application of all its tokens')
    .option('--app-claim <claim>', 'claim that names the application')
    .option('--jwks-uri <url>', 'where its keys are; left out: found by discovery')
    .option('--algorithms <algorithms>', 'comma-separated: RS256, ES256 …')
    .option('--user-claim <claim>', 'claim that names the end user')
    .option('--team-claim <claim>', 'claim that names the team')
    .option('--require <claim>', 'claim=value that tokens must have; may be repeated', collect)
    .option('--dpop <mode>', 'off, optional or required')
    .option('--origin <origin>', 'origin of the gateway that proofs may name; may be repeated', collect)
    .option('--allow-private-network', 'its hosts may be private addresses, and http:')
  runs<AddIssuer>(command, io, async ({ session, args, options }) => {
    const params = { path: { organization: await session.organization() } }
    const body = bodyOf(argument(args, 0), argument(args, 1), options)
    const made = await take(session.client.POST(issuers, { params, body }))
    session.show(made, ({ name }) => `Tokens of ${name} are taken.\n`)
  })
}

function addMembers(group: Command, io: CliIo): void {
  const show = defineCommand(group, {
    name: 'show <name>',
    summary: 'Show one token issuer, and its keys as this node has them',
    examples: [['gatewright issuers show corporate', 'Terms, keys, the last problem']],
  })
  runs<object>(show, io, async ({ session, args }) => {
    const params = { path: { organization: await session.organization(), id: argument(args, 0) } }
    session.show(await take(session.client.GET(member, { params })), showIssuer)
  })
  for (const [word, enabled, summary] of [
    ['enable', true, 'Take tokens of an issuer again'],
    ['disable', false, 'Take no tokens of an issuer; exchanges under way end'],
  ] as const) {
    const command = defineCommand(group, {
      name: `${word} <name>`,
      summary,
      examples: [[`gatewright issuers ${word} corporate`, 'Within a second']],
    })
    runs<object>(command, io, async ({ session, args }) => {
      const params = { path: { organization: await session.organization(), id: argument(args, 0) } }
      const changed = await take(session.client.PATCH(member, { params, body: { enabled } }))
      session.show(changed, ({ name }) => `${name} is ${word}d.\n`)
    })
  }
  const remove = defineCommand(group, {
    name: 'remove <name>',
    summary: 'Take no tokens of an issuer, and forget it',
    examples: [['gatewright issuers remove corporate', 'Exchanges under way end']],
  })
  runs<object>(remove, io, async ({ session, args }) => {
    const id = argument(args, 0)
    const params = { path: { organization: await session.organization(), id } }
    await take(session.client.DELETE(member, { params }))
    session.show({ removed: id }, () => `The token issuer ${id} is removed.\n`)
  })
}

interface Revoke {
  readonly token?: string
  readonly subject?: string
  readonly all?: boolean
}

function revocationOf({ token, subject, all }: Revoke): { kind: Revocation['kind']; value?: string } {
  if (token !== undefined && subject === undefined && all !== true) return { kind: 'token', value: token }
  if (subject !== undefined && token === undefined && all !== true) return { kind: 'subject', value: subject }
  if (all === true && token === undefined && subject === undefined) return { kind: 'issuer' }
  throw new CliFailure('usage', 'Say which tokens to revoke.', 'Give one of --token, --subject and --all.')
}

const revocationColumns: readonly Column<Revocation>[] = [
  { head: 'Kind', text: ({ kind }) => kind },
  { head: 'Value', text: ({ value }) => value || '–' },
  { head: 'Issued until', text: ({ issuedUntil }) => formatTime(issuedUntil) },
  { head: 'Ends', text: ({ expiresAt }) => formatTime(expiresAt) },
]

function addRevocations(group: Command, io: CliIo): void {
  const revoke = defineCommand(group, {
    name: 'revoke <name>',
    summary: 'Revoke tokens of an issuer, on every node within a second',
    examples: [
      [
        'gatewright issuers revoke corporate --subject client-7',
        'All tokens of one subject issued until now',
      ],
      ['gatewright issuers revoke corporate --all', 'All tokens issued until now'],
    ],
  })
    .option('--token <jti>', 'one token, by its jti')
    .option('--subject <sub>', 'tokens of a subject')
    .option('--all', 'tokens of the issuer')
  runs<Revoke>(revoke, io, async ({ session, args, options }) => {
    const params = { path: { organization: await session.organization(), id: argument(args, 0) } }
    const made = await take(session.client.POST(revocations, { params, body: revocationOf(options) }))
    session.show(made, ({ issuedUntil }) => `Revoked, as far as issued until ${formatTime(issuedUntil)}.\n`)
  })
  const list = defineCommand(group, {
    name: 'revocations <name>',
    summary: 'List revocations of tokens that have not ended',
    examples: [['gatewright issuers revocations corporate', 'Oldest first']],
  })
  runs<object>(list, io, async ({ session, args }) => {
    const path = { organization: await session.organization(), id: argument(args, 0) }
    const found = await takeAll<Revocation>((after) =>
      take(session.client.GET(revocations, { params: { path, query: pageAfter(after) } })),
    )
    session.table(found, revocationColumns, 'Nothing is revoked.')
  })
}

export function addTokenIssuers(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'issuers', 'Issuers whose access tokens are taken')
  const list = defineCommand(group, {
    name: 'list',
    summary: 'List token issuers',
    examples: [['gatewright issuers list', 'With the state of their keys']],
  })
  runs<object>(list, io, async ({ session }) => {
    const path = { organization: await session.organization() }
    const found = await takeAll<Issuer>((after) =>
      take(session.client.GET(issuers, { params: { path, query: pageAfter(after) } })),
    )
    session.table(found, columns, 'No token issuer is trusted.')
  })
  addAdd(group, io)
  addMembers(group, io)
  addRevocations(group, io)
}
