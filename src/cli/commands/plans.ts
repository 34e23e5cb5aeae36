/** `gatewright plans`: limits that subscriptions to products come with. */
import type { Command } from 'commander'
import type { components } from '../../../clients/typescript/schema.gen.ts'
import { CliFailure } from '../cli-failure.ts'
import { argument, collect, defineCommand, defineGroup, runs } from '../define-command.ts'
import { parseDuration } from '../durations.ts'
import { describeLimit, parseNamedLimit } from '../limit-words.ts'
import { type CliIo, pageAfter, take, takeAll } from '../session.ts'
import { type Column, formatFields, formatTable } from '../table.ts'

type Schemas = components['schemas']
type Plan = Schemas['Plan']
type Terms = Schemas['LimitTerms']

const plans = '/api/v1/organizations/{organization}/plans'
const member = '/api/v1/organizations/{organization}/plans/{id}'
const application = '/api/v1/organizations/{organization}/applications/{id}'
const product = '/api/v1/organizations/{organization}/products/{id}'
const subscription = '/api/v1/organizations/{organization}/subscriptions/{id}'

const priorities = ['critical', 'high', 'normal', 'low'] as const

const columns: readonly Column<Plan>[] = [
  { head: 'Slug', text: (plan) => plan.slug },
  { head: 'Limits', text: (plan) => plan.limits.map(describeLimit).join('; ') || 'none' },
  { head: 'Priority', text: (plan) => plan.priority },
  { head: 'Weight', align: 'right', text: (plan) => String(plan.weight) },
  { head: 'Managed by', text: (plan) => plan.managedBy },
]

const limitColumns: readonly Column<Terms>[] = [
  { head: 'Limit', text: (limit) => limit.name },
  { head: 'Allows', text: describeLimit },
  { head: 'Per', text: (limit) => limit.per.join(', ') || 'application, product' },
  { head: 'Mode', text: (limit) => limit.mode },
  { head: 'Beyond it', text: (limit) => limit.whenExceeded },
  { head: 'Alerts at', text: (limit) => limit.alertsAt.map((share) => `${share * 100} %`).join(', ') || '–' },
]

function showPlan(plan: Plan): string {
  const { slug, name, description, priority, weight, queue, limits } = plan
  const fields = formatFields([
    ['Slug', slug],
    ['Name', name],
    ['Description', description || '–'],
    ['Priority', `${priority}, weight ${weight}`],
    ['Queue', `${queue.maxLength} exchanges of an application, ${queue.maxWaitMs} ms at most`],
  ])
  return `${fields}\n${formatTable(limits, limitColumns, 'It has no limits.')}`
}

interface AddPlan {
  readonly name?: string
  readonly description?: string
  readonly limit?: readonly string[]
  readonly priority?: string
  readonly weight?: string
  readonly queue?: boolean
  readonly maxWait?: string
  readonly maxLength?: string
}

/** The priority of this name. @throws CliFailure */
function parsePriority(text: string): Plan['priority'] {
  const priority = priorities.find((known) => known === text)
  if (priority !== undefined) return priority
  throw new CliFailure('usage', `${text} is not a priority.`, `Known are ${priorities.join(', ')}.`)
}

function bodyOf(slug: string, options: AddPlan) {
  const { name, description, limit, priority, weight, maxWait, maxLength } = options
  const whenExceeded: Terms['whenExceeded'] = options.queue === true ? 'queue' : 'refuse'
  const queue = {
    ...(maxWait === undefined ? {} : { maxWaitMs: parseDuration(maxWait) }),
    ...(maxLength === undefined ? {} : { maxLength: Number(maxLength) }),
  }
  return {
    slug,
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(priority === undefined ? {} : { priority: parsePriority(priority) }),
    ...(weight === undefined ? {} : { weight: Number(weight) }),
    limits: (limit ?? []).map((text) => ({ ...parseNamedLimit(text), whenExceeded })),
    queue,
  }
}

function addAdd(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'add <slug>',
    summary: 'Add a plan',
    examples: [
      [
        "gatewright plans add team --limit 'rate: 100 requests per minute' --limit 'budget: $500 per calendar month'",
        'Counted for each application and product',
      ],
      [
        "gatewright plans add batch --limit 'rate: 10 requests per second' --queue --max-wait 30s --priority low",
        'Exchanges beyond the rate wait their turn',
      ],
    ],
  })
    .option('--name <name>', 'name for people')
    .option('--description <text>', 'what it is for')
    .option('--limit <limit>', "a limit, 'name: 100 requests per minute'; may be repeated", collect)
    .option('--priority <priority>', `who goes first: ${priorities.join(', ')}`)
    .option('--weight <number>', 'share of the queue among applications of one priority')
    .option('--queue', 'exchanges beyond a limit wait instead of being refused')
    .option('--max-wait <duration>', 'longest wait in the queue')
    .option('--max-length <number>', 'most exchanges of one application that wait')
  runs<AddPlan>(command, io, async ({ session, args, options }) => {
    const body = bodyOf(argument(args, 0), options)
    const params = { path: { organization: await session.organization() } }
    const made = await take(session.client.POST(plans, { params, body }))
    session.show(
      made,
      ({ slug }) =>
        `The plan ${slug} is there.\nGive it to an application: gatewright plans assign ${slug} --app <application> --product <product>\n`,
    )
  })
}

interface AssignPlan {
  readonly app: string
  readonly product: string
}

function addAssign(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'assign <plan>',
    summary: "Change the plan of an application's subscription to a product; none takes it away",
    examples: [
      ['gatewright plans assign team --app shop --product chat', 'From the next exchange on'],
      ['gatewright plans assign none --app shop --product chat', 'No limits of a plan any more'],
    ],
  })
    .requiredOption('--app <application>', 'application that is subscribed')
    .requiredOption('--product <product>', 'product that it is subscribed to')
  runs<AssignPlan>(command, io, async ({ session, args, options }) => {
    const plan = argument(args, 0)
    const organization = await session.organization()
    const { client } = session
    const pathTo = (id: string) => ({ params: { path: { organization, id } } })
    const { id: applicationId } = await take(client.GET(application, pathTo(options.app)))
    const { id: productId } = await take(client.GET(product, pathTo(options.product)))
    // The pair of ids is the subscription's name.
    const request = {
      ...pathTo(`${applicationId}/${productId}`),
      body: { plan: plan === 'none' ? null : plan },
    }
    const changed = await take(client.PATCH(subscription, request))
    const which = plan === 'none' ? 'no plan' : `the plan ${plan}`
    session.show(changed, () => `${options.app} uses ${options.product} under ${which}.\n`)
  })
}

export function addPlans(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'plans', 'Plans: limits that subscriptions to products come with')
  const list = defineCommand(group, {
    name: 'list',
    summary: 'List plans',
    examples: [['gatewright plans list', 'With what each allows']],
  })
  runs<object>(list, io, async ({ session }) => {
    const organization = await session.organization()
    const rows = await takeAll((after) =>
      take(session.client.GET(plans, { params: { path: { organization }, query: pageAfter(after) } })),
    )
    session.table(rows, columns, 'There is no plan yet: gatewright plans add --help')
  })
  const show = defineCommand(group, {
    name: 'show <plan>',
    summary: 'Show one plan and its limits',
    examples: [['gatewright plans show team', 'Each limit in a line']],
  })
  runs<object>(show, io, async ({ session, args }) => {
    const path = { organization: await session.organization(), id: argument(args, 0) }
    session.show(await take(session.client.GET(member, { params: { path } })), showPlan)
  })
  addAdd(group, io)
  addAssign(group, io)
  const remove = defineCommand(group, {
    name: 'remove <plan>',
    summary: 'Remove a plan',
    examples: [['gatewright plans remove team', 'Refused while a subscription has it']],
  })
  runs<object>(remove, io, async ({ session, args }) => {
    const id = argument(args, 0)
    const path = { organization: await session.organization(), id }
    await take(session.client.DELETE(member, { params: { path } }))
    session.show({ removed: id }, () => `The plan ${id} is removed.\n`)
  })
}
