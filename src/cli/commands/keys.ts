/** `gatewright keys`: API keys of applications. */
import type { Command } from 'commander'
import type { components } from '../../../clients/typescript/schema.gen.ts'
import { argument, collect, defineCommand, defineGroup, parseList, runs } from '../define-command.ts'
import { parseDuration, parseMoment } from '../durations.ts'
import { type CliIo, pageAfter, type Session, take, takeAll } from '../session.ts'
import { type Column, formatTime } from '../table.ts'

type Key = components['schemas']['Key']
type KeyWithSecret = components['schemas']['KeyWithSecret']

const collection = '/api/v1/organizations/{organization}/keys'

/** Slugs of applications by id. */
async function applicationNames(session: Session, organization: string): Promise<Map<string, string>> {
  const applications = await takeAll((after) =>
    take(
      session.client.GET('/api/v1/organizations/{organization}/applications', {
        params: { path: { organization }, query: pageAfter(after) },
      }),
    ),
  )
  return new Map(applications.map(({ id, slug }) => [id, slug]))
}

function columnsWith(names: ReadonlyMap<string, string>, now: number): Column<Key>[] {
  const state = (key: Key): string =>
    key.state === 'active' && key.expiresAt !== null && key.expiresAt <= now ? 'expired' : key.state
  return [
    { head: 'Key id', text: (key) => key.keyId },
    { head: 'Name', text: (key) => key.name },
    { head: 'Application', text: (key) => names.get(key.applicationId) ?? key.applicationId },
    { head: 'Env', text: (key) => key.environment },
    { head: 'State', text: state },
    { head: 'Models', text: (key) => key.models?.join(', ') ?? 'all subscribed' },
    { head: 'Expires', text: (key) => formatTime(key.expiresAt) },
    { head: 'Last used', text: (key) => formatTime(key.lastUsedAt) },
    { head: 'Held for', text: (key) => key.quarantine?.reason ?? '' },
  ]
}

function showSecret(session: Session, made: KeyWithSecret, what: string): void {
  session.show(
    made,
    ({ secret }) =>
      `${what}\n\n  ${secret}\n\nKeep it now: it is stored as a hash and cannot be shown again.\n`,
  )
}

interface ListOptions {
  readonly app?: string
  readonly state?: Key['state']
}

function addList(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'list',
    summary: 'List API keys, without their secrets',
    examples: [
      ['gatewright keys list', 'All keys of the organization'],
      ['gatewright keys list --app shop --json', 'Keys of one application, for scripts'],
    ],
  })
    .option('--app <application>', 'of this application only (slug)')
    .option('--state <state>', 'active, quarantined or revoked only')
  runs<ListOptions>(command, io, async ({ session, options }) => {
    const organization = await session.organization()
    const names = await applicationNames(session, organization)
    const { app, state } = options
    const wanted = app === undefined ? undefined : ([...names].find(([, slug]) => slug === app)?.[0] ?? app)
    const keys = await takeAll((after) => {
      const query = {
        ...pageAfter(after),
        ...(wanted === undefined ? {} : { applicationId: wanted }),
        ...(state === undefined ? {} : { state }),
      }
      return take(session.client.GET(collection, { params: { path: { organization }, query } }))
    })
    session.table(keys, columnsWith(names, io.now()), 'There is no key yet: gatewright keys create --help')
  })
}

interface CreateOptions {
  readonly app: string
  readonly name: string
  readonly test?: boolean
  readonly models?: string
  readonly operations?: string
  readonly cidr?: readonly string[]
  readonly expires?: string
}

function addCreate(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'create',
    summary: 'Create an API key and show it once',
    examples: [
      [
        'gatewright keys create --app first-application --name laptop',
        'A key that opens what the application is subscribed to',
      ],
      [
        "gatewright keys create --app shop --name ci --models 'gpt-*' --expires 30d --cidr 10.0.0.0/8",
        'A narrow key',
      ],
    ],
  })
    .requiredOption('--app <application>', 'application that owns the key (slug or id)')
    .requiredOption('--name <name>', 'name for people')
    .option('--test', 'make a test key (gwr_test_…)')
    .option('--models <patterns>', 'narrow to these models, comma-separated')
    .option('--operations <ids>', 'narrow to these operations, comma-separated')
    .option('--cidr <network>', 'allow this source network only; may be repeated', collect)
    .option('--expires <when>', 'end after a duration (90d) or at a date')
  runs<CreateOptions>(command, io, async ({ session, options }) => {
    const organization = await session.organization()
    const { app, name, test, models, operations, cidr, expires } = options
    const body = {
      application: app,
      name,
      environment: test === true ? ('test' as const) : ('live' as const),
      ...(models === undefined ? {} : { models: parseList(models) }),
      ...(operations === undefined ? {} : { operations: parseList(operations) }),
      ...(cidr === undefined ? {} : { cidrs: [...cidr] }),
      ...(expires === undefined ? {} : { expiresAt: parseMoment(expires, io.now()) }),
    }
    const made = await take(session.client.POST(collection, { params: { path: { organization } }, body }))
    showSecret(session, made, `Key ${made.key.keyId} (${made.key.name}) for the application ${app}:`)
  })
}

function addRotate(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'rotate <key>',
    summary: 'Give a key a new secret; the old one goes on working for the overlap',
    examples: [
      ['gatewright keys rotate 3fQx0ZpWm2aB', 'Both secrets work for 24 hours'],
      ['gatewright keys rotate 3fQx0ZpWm2aB --overlap 0s', 'The old secret ends now'],
    ],
  }).option('--overlap <duration>', 'how long the old secret goes on working', '24h')
  runs<{ readonly overlap: string }>(command, io, async ({ session, args, options }) => {
    const organization = await session.organization()
    const params = { path: { organization, id: argument(args, 0) } }
    const body = { overlapSeconds: Math.floor(parseDuration(options.overlap) / 1000) }
    const made = await take(session.client.POST(`${collection}/{id}/rotate`, { params, body }))
    showSecret(
      session,
      made,
      `New secret of the key ${made.key.keyId}; the old one works for ${options.overlap} more:`,
    )
  })
}

function addRevoke(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'revoke <key>',
    summary: 'End a key at once and for good, requests under way included',
    examples: [['gatewright keys revoke 3fQx0ZpWm2aB', 'By key id; the id key_… does as well']],
  })
  runs<object>(command, io, async ({ session, args }) => {
    const organization = await session.organization()
    const params = { path: { organization, id: argument(args, 0) } }
    const key = await take(session.client.POST(`${collection}/{id}/revoke`, { params }))
    session.show(key, ({ keyId }) => `The key ${keyId} is revoked.\n`)
  })
}

function addQuarantine(group: Command, io: CliIo): void {
  const hold = defineCommand(group, {
    name: 'quarantine <key>',
    summary: 'Refuse a key at once, requests under way included, until it is released',
    examples: [['gatewright keys quarantine 3fQx0ZpWm2aB', 'Nothing of it is lost']],
  })
  runs<object>(hold, io, async ({ session, args }) => {
    const organization = await session.organization()
    const params = { path: { organization, id: argument(args, 0) } }
    const key = await take(session.client.POST(`${collection}/{id}/quarantine`, { params }))
    session.show(key, ({ keyId }) => `The key ${keyId} is in quarantine.\n`)
  })
  const release = defineCommand(group, {
    name: 'release <key>',
    summary: 'Let a key out of quarantine (scope admin)',
    examples: [['gatewright keys release 3fQx0ZpWm2aB', 'After `keys rotate`, where its secret leaked']],
  })
  runs<object>(release, io, async ({ session, args }) => {
    const organization = await session.organization()
    const params = { path: { organization, id: argument(args, 0) } }
    const key = await take(session.client.POST(`${collection}/{id}/release`, { params }))
    session.show(key, ({ keyId }) => `The key ${keyId} is in use again.\n`)
  })
}

export function addKeys(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'keys', 'API keys of applications')
  addList(group, io)
  addCreate(group, io)
  addRotate(group, io)
  addQuarantine(group, io)
  addRevoke(group, io)
}
