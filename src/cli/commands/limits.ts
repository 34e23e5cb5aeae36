/** `gatewright limits`: limits of the organization, how they stand for a key, and what raises them. */
import type { Command } from 'commander'
import type { components } from '../../../clients/typescript/schema.gen.ts'
import { CliFailure } from '../cli-failure.ts'
import { argument, collect, defineCommand, defineGroup, parseList, runs } from '../define-command.ts'
import { formatDuration, parseMoment } from '../durations.ts'
import { describeAmount, describeLimit, parseAmount, parseLimitWords } from '../limit-words.ts'
import { type CliIo, pageAfter, take, takeAll } from '../session.ts'
import { type Column, formatFields, formatTable, formatTime } from '../table.ts'

type Schemas = components['schemas']
type Limit = Schemas['Limit']
type KeyLimit = Schemas['KeyLimit']
type TopUp = Schemas['TopUp']
type LimitAlert = Schemas['LimitAlert']

const limits = '/api/v1/organizations/{organization}/limits'
const member = '/api/v1/organizations/{organization}/limits/{id}'
const ofKey = '/api/v1/organizations/{organization}/keys/{id}/limits'
const alerts = '/api/v1/organizations/{organization}/limit-alerts'
const topUps = '/api/v1/organizations/{organization}/top-ups'
const topUp = '/api/v1/organizations/{organization}/top-ups/{id}'

/** `teams research; models gpt-*`, or everything. */
function describeMatch(match: Limit['match']): string {
  const parts = Object.entries(match).flatMap(([field, names]) =>
    names === null ? [] : [`${field} ${names.join(', ')}`],
  )
  return parts.join('; ') || 'everything'
}

/** How often the limit came into play on the node that answered, since its process started. */
const figureColumns: readonly Column<Limit | KeyLimit>[] = [
  { head: 'Refused', align: 'right', text: ({ figures }) => String(figures.refused) },
  { head: 'Exceeded', align: 'right', text: ({ figures }) => String(figures.exceeded) },
  { head: 'Unavailable', align: 'right', text: ({ figures }) => String(figures.unavailable) },
]

const columns: readonly Column<Limit>[] = [
  { head: 'Limit', text: (limit) => limit.name },
  { head: 'Allows', text: describeLimit },
  { head: 'Per', text: (limit) => limit.per.join(', ') || 'all together' },
  { head: 'For', text: (limit) => describeMatch(limit.match) },
  { head: 'Mode', text: (limit) => limit.mode },
  { head: 'Beyond it', text: (limit) => limit.whenExceeded },
  ...figureColumns,
  { head: 'Managed by', text: (limit) => limit.managedBy },
]

interface AddLimit {
  readonly per?: string
  readonly mode?: string
  readonly queue?: boolean
  readonly onStoreLoss?: string
  readonly alertsAt?: string
  readonly app?: readonly string[]
  readonly team?: readonly string[]
  readonly key?: readonly string[]
  readonly user?: readonly string[]
  readonly model?: readonly string[]
  readonly product?: readonly string[]
}

function matchOf({ app, team, key, user, model, product }: AddLimit) {
  const named = { applications: app, teams: team, keys: key, users: user, models: model, products: product }
  const match: Record<string, string[]> = {}
  for (const [field, names] of Object.entries(named)) if (names !== undefined) match[field] = [...names]
  return match
}

/** A share as `0.8` or `80%`. */
function parseShare(text: string): number {
  return text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text)
}

type GivenLimit = Schemas['GivenLimitTerms']

function addAdd(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'add <name> <limit>',
    summary: 'Add a limit for everything that it matches',
    examples: [
      ["gatewright limits add per-user '20 requests per minute' --per user", 'Each end user apart'],
      [
        "gatewright limits add research '$500 per calendar month in Europe/Berlin' --team research --alerts-at 50%,90%",
        'One budget for a team',
      ],
      ["gatewright limits add burst '100 requests per minute, 20 at once' --mode shadow", 'Only counted'],
    ],
  })
    .option(
      '--per <subjects>',
      'what is counted apart, comma-separated: team, application, key, user, model …',
    )
    .option('--mode <mode>', 'enforce, warn or shadow')
    .option('--queue', 'exchanges beyond it wait instead of being refused')
    .option('--on-store-loss <what>', 'local-share, closed or open, while shared counters cannot be reached')
    .option('--alerts-at <shares>', 'shares of the amount that raise an alert, comma-separated: 50%,90%')
    .option('--app <application>', 'only for this application, or pattern; may be repeated', collect)
    .option('--team <team>', 'only for this team; may be repeated', collect)
    .option('--key <key>', 'only for this key id; may be repeated', collect)
    .option('--user <user>', 'only for this end user; may be repeated', collect)
    .option('--model <model>', 'only for this model, or pattern; may be repeated', collect)
    .option('--product <product>', 'only for this product; may be repeated', collect)
  runs<AddLimit>(command, io, async ({ session, args, options }) => {
    const { per, mode, queue, onStoreLoss, alertsAt } = options
    // The words of options go as they are: the control plane knows which there are, and says so.
    const own = {
      ...(per === undefined ? {} : { per: parseList(per) }),
      ...(mode === undefined ? {} : { mode }),
      ...(queue === true ? { whenExceeded: 'queue' } : {}),
      ...(onStoreLoss === undefined ? {} : { onStoreLoss }),
      ...(alertsAt === undefined ? {} : { alertsAt: parseList(alertsAt).map(parseShare) }),
    } as Partial<GivenLimit>
    const said = parseLimitWords(argument(args, 1))
    const body = { name: argument(args, 0), ...said, ...own, match: matchOf(options) }
    const params = { path: { organization: await session.organization() } }
    const made = await take(session.client.POST(limits, { params, body }))
    session.show(made, (limit) => `The limit ${limit.name} holds: ${describeLimit(limit)}.\n`)
  })
}

function addSet(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'set <name> <limit>',
    summary: 'Change how much a limit allows, and in which time; what was used stays used',
    examples: [["gatewright limits set per-user '40 requests per minute'", 'From the next exchange on']],
  })
  runs<object>(command, io, async ({ session, args }) => {
    const params = { path: { organization: await session.organization(), id: argument(args, 0) } }
    const { meter, amount, window } = parseLimitWords(argument(args, 1))
    const before = await take(session.client.GET(member, { params }))
    if (before.meter !== meter) {
      const advice = 'Add another limit for it: gatewright limits add --help'
      throw new CliFailure('usage', `The limit ${before.name} counts ${before.meter}, not ${meter}.`, advice)
    }
    const changed = await take(session.client.PATCH(member, { params, body: { amount, window } }))
    session.show(changed, (limit) => `The limit ${limit.name} holds: ${describeLimit(limit)}.\n`)
  })
}

const source = ({ plan, product }: KeyLimit): string =>
  plan === null ? 'organization' : `plan ${plan}, product ${product ?? '–'}`

/** Numbers as they are, dollars with their sign. */
const left = ({ meter, remaining }: KeyLimit): string =>
  remaining === null ? '?' : meter === 'cost' ? `$${remaining}` : String(remaining)

const keyColumns: readonly Column<KeyLimit>[] = [
  { head: 'Limit', text: (limit) => limit.name },
  { head: 'From', text: source },
  { head: 'Allows', text: (limit) => describeLimit({ ...limit, amount: limit.amountNow }) },
  { head: 'Left', align: 'right', text: left },
  {
    head: 'Full again in',
    text: (limit) => (limit.resetMs === null ? '?' : formatDuration(limit.resetMs)),
  },
  { head: 'Mode', text: (limit) => limit.mode },
  { head: 'Beyond it', text: (limit) => limit.whenExceeded },
  ...figureColumns,
  { head: 'Counter', text: (limit) => limit.subject || 'all together' },
]

function showKeyLimits({ keyId, application, team, items }: Schemas['KeyLimits']): string {
  const applying = items.filter((limit) => limit.applies)
  const others = items
    .filter((limit) => !limit.applies)
    .map(({ name, mismatches }) => `Does not apply: ${name} (other ${mismatches.join(', ')})\n`)
  const fields = formatFields([
    ['Key', keyId],
    ['Application', application],
    ['Team', team || '–'],
  ])
  return `${fields}\n${formatTable(applying, keyColumns, 'No limit holds for this key.')}${others.join('')}`
}

interface ExplainOptions {
  readonly model?: string
  readonly user?: string
  readonly address?: string
}

function addExplain(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'explain <key>',
    summary: 'Explain which limits hold for a key, and how they stand',
    examples: [
      ['gatewright limits explain 4fUq8m2KsW1x', 'By the id of the key'],
      ['gatewright limits explain 4fUq8m2KsW1x --model gpt-5 --user ada', 'For one kind of exchange'],
    ],
  })
    .option('--model <model>', 'model that is asked for')
    .option('--user <user>', 'end user that the request names')
    .option('--address <address>', 'network address of the caller')
  runs<ExplainOptions>(command, io, async ({ session, args, options }) => {
    const path = { organization: await session.organization(), id: argument(args, 0) }
    const explained = await take(session.client.GET(ofKey, { params: { path, query: { ...options } } }))
    session.show(explained, showKeyLimits)
  })
}

interface TopUpOptions {
  readonly plan?: string
  readonly counter?: string
  readonly at?: string
  readonly note?: string
}

function addTopUp(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'top-up <limit> <amount>',
    summary: 'Raise one counter of a calendar limit, for this period',
    examples: [
      ["gatewright limits top-up research '$50' --note 'Until Friday'", 'A budget with one counter'],
      [
        "gatewright limits top-up budget '$10' --plan team --counter 'app_…|prd_…'",
        'The counter as limits explain shows it',
      ],
    ],
  })
    .option('--plan <plan>', 'the limit is one of this plan')
    .option('--counter <counter>', 'which counter, as limits explain shows it')
    .option('--at <time>', 'for the period that holds this time (default: now)')
    .option('--note <text>', 'why')
  runs<TopUpOptions>(command, io, async ({ session, args, options }) => {
    const { plan, counter, at, note } = options
    const amount = parseAmount(argument(args, 1))
    if (amount === null) throw new CliFailure('usage', `${args[1]} is not an amount.`, 'Write 500 or $50.')
    const body = {
      limit: argument(args, 0),
      amount,
      ...(plan === undefined ? {} : { plan }),
      ...(counter === undefined ? {} : { subject: counter }),
      ...(at === undefined ? {} : { at: parseMoment(at, io.now()) }),
      ...(note === undefined ? {} : { note }),
    }
    const params = { path: { organization: await session.organization() } }
    const made = await take(session.client.POST(topUps, { params, body }))
    session.show(
      made,
      ({ meter, id }) =>
        `${body.limit} has ${describeAmount(meter, made.amount)} more.\nTake it back: gatewright limits take-back ${id}\n`,
    )
  })
}

const topUpColumns: readonly Column<TopUp>[] = [
  { head: 'Id', text: ({ id }) => id },
  { head: 'Limit', text: ({ limitId }) => limitId },
  { head: 'Counter', text: ({ subject }) => subject || 'all together' },
  { head: 'More', align: 'right', text: ({ meter, amount }) => describeAmount(meter, amount) },
  { head: 'In the period of', text: ({ at }) => formatTime(at) },
  { head: 'Note', text: ({ note }) => note },
]

function addTopUpList(group: Command, io: CliIo): void {
  const list = defineCommand(group, {
    name: 'top-ups',
    summary: 'List top-ups',
    examples: [['gatewright limits top-ups', 'Of the organization']],
  })
  runs<object>(list, io, async ({ session }) => {
    const organization = await session.organization()
    const rows = await takeAll((after) =>
      take(session.client.GET(topUps, { params: { path: { organization }, query: pageAfter(after) } })),
    )
    session.table(rows, topUpColumns, 'There is no top-up.')
  })
  const remove = defineCommand(group, {
    name: 'take-back <top-up>',
    summary: 'Take a top-up back; what was used stays used',
    examples: [['gatewright limits take-back tup_…', 'By its id']],
  })
  runs<object>(remove, io, async ({ session, args }) => {
    const id = argument(args, 0)
    const path = { organization: await session.organization(), id }
    await take(session.client.DELETE(topUp, { params: { path } }))
    session.show({ removed: id }, () => `The top-up ${id} is taken back.\n`)
  })
}

const alertColumns: readonly Column<LimitAlert>[] = [
  { head: 'When', text: ({ at }) => formatTime(at) },
  { head: 'Limit', text: ({ limit }) => limit },
  { head: 'Counter', text: ({ subject }) => subject || 'all together' },
  { head: 'Passed', align: 'right', text: ({ threshold }) => `${Number((threshold * 100).toFixed(2))} %` },
  { head: 'Used', align: 'right', text: ({ meter, used }) => (meter === 'cost' ? `$${used}` : String(used)) },
  { head: 'Of', align: 'right', text: ({ meter, amount }) => describeAmount(meter, amount) },
]

function addAlerts(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'alerts',
    summary: 'List alerts: which limits have passed a share at which they alert',
    examples: [['gatewright limits alerts', 'The newest first; they are kept for 90 days']],
  })
  runs<object>(command, io, async ({ session }) => {
    const organization = await session.organization()
    const rows = await takeAll((after) =>
      take(session.client.GET(alerts, { params: { path: { organization }, query: pageAfter(after) } })),
    )
    session.table(rows, alertColumns, 'There is no alert.')
  })
}

export function addLimits(program: Command, io: CliIo): void {
  const group = defineGroup(
    program,
    'limits',
    'Limits and budgets: how much may be used, by whom, in which time',
  )
  const list = defineCommand(group, {
    name: 'list',
    summary: 'List the limits of the organization; those of plans are shown with their plan',
    examples: [['gatewright limits list', 'With what each allows, and whom']],
  })
  runs<object>(list, io, async ({ session }) => {
    const organization = await session.organization()
    const rows = await takeAll((after) =>
      take(session.client.GET(limits, { params: { path: { organization }, query: pageAfter(after) } })),
    )
    session.table(rows, columns, 'There is no limit yet: gatewright limits add --help')
  })
  addExplain(group, io)
  addAdd(group, io)
  addSet(group, io)
  addTopUp(group, io)
  addTopUpList(group, io)
  addAlerts(group, io)
  const remove = defineCommand(group, {
    name: 'remove <limit>',
    summary: 'Remove a limit and its top-ups',
    examples: [['gatewright limits remove per-user', 'From the next exchange on']],
  })
  runs<object>(remove, io, async ({ session, args }) => {
    const id = argument(args, 0)
    const path = { organization: await session.organization(), id }
    await take(session.client.DELETE(member, { params: { path } }))
    session.show({ removed: id }, () => `The limit ${id} is removed.\n`)
  })
}
