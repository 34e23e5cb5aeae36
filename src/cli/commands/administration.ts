/** `gatewright status`, `setup-link` and `tokens`: what runs, and who may administer it. */
import type { Command } from 'commander'
import type { components } from '../../../clients/typescript/schema.gen.ts'
import { argument, defineCommand, defineGroup, parseList, runs } from '../define-command.ts'
import { parseMoment } from '../durations.ts'
import { type CliIo, pageAfter, take, takeAll } from '../session.ts'
import { type Column, formatFields, formatTime } from '../table.ts'

type AdminToken = components['schemas']['AdminToken']
type Status = components['schemas']['Status']

function describeStatus(status: Status): string {
  const { workers, snapshot } = status
  const urls = (plane: string): string =>
    status.listeners
      .filter((listener) => listener.plane === plane)
      .map((listener) => listener.url)
      .join('  ')
  const refused = snapshot.problem === null ? [] : [['Refused', snapshot.problem] as const]
  return formatFields([
    ['Version', `Gatewright ${status.version} on Node.js ${status.nodeVersion}`],
    ['Since', `${formatTime(status.startedAt)} UTC`],
    ['Data plane', urls('data')],
    ['Control plane', urls('control')],
    ['Workers', `${workers.running} of ${workers.configured} run, ${workers.restarts} replaced`],
    ['Configuration', `version ${snapshot.version}, in force since ${formatTime(snapshot.appliedAt)} UTC`],
    ...refused,
    ['In service', `${status.routeCount} model routes, ${status.deploymentCount} deployments`],
    ['Sandbox model', status.sandboxEnabled ? 'served' : 'off'],
  ])
}

function addStatus(program: Command, io: CliIo): void {
  const status = defineCommand(program, {
    name: 'status',
    summary: 'Say what runs',
    examples: [
      ['gatewright status', 'Addresses, workers, configuration'],
      ['gatewright status --json', 'The same for scripts'],
    ],
  })
  runs<object>(status, io, async ({ session }) => {
    session.show(await take(session.client.GET('/api/v1/status')), describeStatus)
  })
  const link = defineCommand(program, {
    name: 'setup-link',
    summary: 'Make a link that gives its first reader an admin token',
    examples: [['gatewright setup-link', 'Works once and for 15 minutes; an earlier link stops working']],
  })
  runs<object>(link, io, async ({ session }) => {
    const { path, expiresAt } = await take(session.client.POST('/api/v1/setup/links'))
    const made = { url: session.connection.url + path, expiresAt }
    session.show(
      made,
      ({ url }) =>
        `${url}\n\nIt works once, until ${formatTime(expiresAt)} UTC. Whoever opens it becomes administrator.\n`,
    )
  })
}

const tokenColumns = (now: number): Column<AdminToken>[] => [
  { head: 'Id', text: (token) => token.id },
  { head: 'Name', text: (token) => token.name },
  { head: 'Scopes', text: (token) => token.scopes.join(', ') },
  { head: 'Organization', text: (token) => token.organizationId ?? 'all' },
  {
    head: 'State',
    text: (token) => {
      if (token.revokedAt !== null) return 'revoked'
      return token.expiresAt !== null && token.expiresAt <= now ? 'expired' : 'active'
    },
  },
  { head: 'Last used', text: (token) => formatTime(token.lastUsedAt) },
]

interface CreateOptions {
  readonly name: string
  readonly scopes: string
  readonly expires?: string
  readonly org?: string
}

const scopeNames: readonly AdminToken['scopes'][number][] = ['read', 'write', 'keys', 'admin']

function addTokens(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'tokens', 'Admin tokens: access to the control plane')
  const list = defineCommand(group, {
    name: 'list',
    summary: 'List admin tokens',
    examples: [['gatewright tokens list', 'Without their secrets']],
  })
  runs<object>(list, io, async ({ session }) => {
    const tokens = await takeAll((after) =>
      take(session.client.GET('/api/v1/admin-tokens', { params: { query: pageAfter(after) } })),
    )
    session.table(tokens, tokenColumns(io.now()), 'There is no admin token.')
  })
  const create = defineCommand(group, {
    name: 'create',
    summary: 'Create an admin token and show it once',
    examples: [
      ['gatewright tokens create --name dashboard --scopes read', 'May look, may change nothing'],
      [
        'gatewright --org acme tokens create --name acme --scopes read,write,keys --expires 90d',
        'Sees the organization acme alone',
      ],
    ],
  })
    .requiredOption('--name <name>', 'name for people')
    .option('--scopes <scopes>', `comma-separated: ${scopeNames.join(', ')} (admin includes all)`, 'read')
    .option('--expires <when>', 'end after a duration (90d) or at a date')
  runs<CreateOptions>(create, io, async ({ session, options }) => {
    const { org } = create.optsWithGlobals<CreateOptions>()
    const scopes = parseList(options.scopes).map(
      (word) => scopeNames.find((scope) => scope === word) ?? (word as 'read'),
    )
    const body = {
      name: options.name,
      scopes,
      ...(org === undefined ? {} : { organization: org }),
      ...(options.expires === undefined ? {} : { expiresAt: parseMoment(options.expires, io.now()) }),
    }
    const made = await take(session.client.POST('/api/v1/admin-tokens', { body }))
    session.show(
      made,
      ({ secret }) =>
        `Admin token ${options.name}:\n\n  ${secret}\n\nKeep it now: it is stored as a hash and cannot be shown again.\n`,
    )
  })
  const revoke = defineCommand(group, {
    name: 'revoke <token>',
    summary: 'End an admin token at once',
    examples: [['gatewright tokens revoke adm_3fQx0ZpWm2aB9cDeFgHiJk', 'By id, from tokens list']],
  })
  runs<object>(revoke, io, async ({ session, args }) => {
    const id = argument(args, 0)
    const token = await take(
      session.client.POST('/api/v1/admin-tokens/{id}/revoke', { params: { path: { id } } }),
    )
    session.show(token, ({ name }) => `The admin token ${name} is revoked.\n`)
  })
}

export function addAdministration(program: Command, io: CliIo): void {
  addStatus(program, io)
  addTokens(program, io)
}
