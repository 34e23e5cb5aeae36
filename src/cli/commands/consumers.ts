/** `gatewright apps`, `orgs` and `products`: who calls, for whom, and what is published to them. */
import type { Command } from 'commander'
import type { components } from '../../../clients/typescript/schema.gen.ts'
import { CliFailure } from '../cli-failure.ts'
import { argument, collect, defineCommand, defineGroup, parseList, runs } from '../define-command.ts'
import { type CliIo, pageAfter, take, takeAll } from '../session.ts'
import { type Column, formatTime } from '../table.ts'
import { addKeyPolicy, applicationPolicy, organizationPolicy } from './key-policy.ts'

type Schemas = components['schemas']

const organizations = '/api/v1/organizations'
const applications = '/api/v1/organizations/{organization}/applications'
const products = '/api/v1/organizations/{organization}/products'
const subscriptions = '/api/v1/organizations/{organization}/subscriptions'

function recordColumns<
  T extends { slug: string; name: string; managedBy: string; createdAt: number },
>(): Column<T>[] {
  return [
    { head: 'Slug', text: (record) => record.slug },
    { head: 'Name', text: (record) => record.name },
    { head: 'Managed by', text: (record) => record.managedBy },
    { head: 'Created', text: (record) => formatTime(record.createdAt) },
  ]
}

interface NameOption {
  readonly name?: string
}

function addOrganizations(program: Command, io: CliIo): void {
  const group = defineGroup(
    program,
    'orgs',
    'Organizations: tenants, each with its own applications, keys and models',
  )
  const list = defineCommand(group, {
    name: 'list',
    summary: 'List organizations',
    examples: [['gatewright orgs list', 'Those that the token sees']],
  })
  runs<object>(list, io, async ({ session }) => {
    const rows = await takeAll((after) =>
      take(session.client.GET(organizations, { params: { query: pageAfter(after) } })),
    )
    session.table(rows, recordColumns<Schemas['Organization']>(), 'There is no organization.')
  })
  const add = defineCommand(group, {
    name: 'add <slug>',
    summary: 'Add an organization',
    examples: [["gatewright orgs add acme --name 'Acme Corp'", 'Then name it with --org acme']],
  }).option('--name <name>', 'name for people')
  runs<NameOption>(add, io, async ({ session, args, options }) => {
    const body = { slug: argument(args, 0), ...(options.name === undefined ? {} : { name: options.name }) }
    const made = await take(session.client.POST(organizations, { body }))
    session.show(made, ({ slug }) => `The organization ${slug} is there.\n`)
  })
  const remove = defineCommand(group, {
    name: 'remove <slug>',
    summary: 'Remove an empty organization',
    examples: [['gatewright orgs remove acme', 'Refused while it holds anything']],
  })
  runs<object>(remove, io, async ({ session, args }) => {
    const organization = argument(args, 0)
    await take(
      session.client.DELETE(`${organizations}/{organization}`, { params: { path: { organization } } }),
    )
    session.show({ removed: organization }, () => `The organization ${organization} is removed.\n`)
  })
  addKeyPolicy(group, io, organizationPolicy)
}

function addApplicationMembers(group: Command, io: CliIo): void {
  const remove = defineCommand(group, {
    name: 'remove <application>',
    summary: 'Remove an application',
    examples: [['gatewright apps remove shop', 'Refused while it has keys or subscriptions']],
  })
  runs<object>(remove, io, async ({ session, args }) => {
    const id = argument(args, 0)
    await take(
      session.client.DELETE(`${applications}/{id}`, {
        params: { path: { organization: await session.organization(), id } },
      }),
    )
    session.show({ removed: id }, () => `The application ${id} is removed.\n`)
  })
  const subscribe = defineCommand(group, {
    name: 'subscribe <application> <product>',
    summary: 'Let an application use a product',
    examples: [
      ['gatewright apps subscribe shop chat', 'At once'],
      ['gatewright apps subscribe shop chat --plan team', "Within the plan's limits"],
    ],
  }).option('--plan <plan>', 'plan whose limits hold')
  runs<{ readonly plan?: string }>(subscribe, io, async ({ session, args, options }) => {
    const params = { path: { organization: await session.organization() } }
    const body = { application: argument(args, 0), product: argument(args, 1), ...options }
    const made = await take(session.client.POST(subscriptions, { params, body }))
    session.show(made, () => `${body.application} may use ${body.product}.\n`)
  })
  addUnsubscribe(group, io)
  addKeyPolicy(group, io, applicationPolicy)
}

function addUnsubscribe(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'unsubscribe <application> <product>',
    summary: 'End the right of an application to use a product',
    examples: [['gatewright apps unsubscribe shop chat', 'At once; its keys stay']],
  })
  runs<object>(command, io, async ({ session, args }) => {
    const organization = await session.organization()
    const [application, product] = [argument(args, 0), argument(args, 1)]
    const { client } = session
    const applicationPath = { organization, id: application }
    const productPath = { organization, id: product }
    const { id: applicationId } = await take(
      client.GET(`${applications}/{id}`, { params: { path: applicationPath } }),
    )
    const { id: productId } = await take(client.GET(`${products}/{id}`, { params: { path: productPath } }))
    // An application subscribes to a product once, and the pair of ids is that subscription's name.
    const id = `${applicationId}/${productId}`
    await take(client.DELETE(`${subscriptions}/{id}`, { params: { path: { organization, id } } }))
    session.show({ application, product }, () => `${application} may no longer use ${product}.\n`)
  })
}

interface AddApplication extends NameOption {
  readonly team?: string
  readonly product?: readonly string[]
}

function addApplications(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'apps', 'Applications: consumers, which hold keys and subscriptions')
  const list = defineCommand(group, {
    name: 'list',
    summary: 'List applications',
    examples: [['gatewright apps list', 'Of the organization']],
  })
  runs<object>(list, io, async ({ session }) => {
    const organization = await session.organization()
    const rows = await takeAll((after) =>
      take(session.client.GET(applications, { params: { path: { organization }, query: pageAfter(after) } })),
    )
    session.table(
      rows,
      [
        ...recordColumns<Schemas['Application']>(),
        { head: 'Team', text: ({ team }: Schemas['Application']) => team || '–' },
      ],
      'There is no application yet: gatewright apps add --help',
    )
  })
  const add = defineCommand(group, {
    name: 'add <slug>',
    summary: 'Add an application',
    examples: [["gatewright apps add shop --name 'Web shop' --product everything", 'With a subscription']],
  })
    .option('--name <name>', 'name for people')
    .option('--team <team>', 'team whose application it is, for limits that count per team')
    .option('--product <product>', 'subscribe it to this product; may be repeated', collect)
  runs<AddApplication>(add, io, async ({ session, args, options }) => {
    const params = { path: { organization: await session.organization() } }
    const { name, team } = options
    const body = {
      slug: argument(args, 0),
      ...(name === undefined ? {} : { name }),
      ...(team === undefined ? {} : { team }),
    }
    const made = await take(session.client.POST(applications, { params, body }))
    for (const product of options.product ?? []) {
      await take(session.client.POST(subscriptions, { params, body: { application: made.id, product } }))
    }
    session.show(
      made,
      ({ slug }) =>
        `The application ${slug} is there.\nGive it a key: gatewright keys create --app ${slug} --name first\n`,
    )
  })
  addApplicationMembers(group, io)
}

const productColumns: readonly Column<Schemas['Product']>[] = [
  { head: 'Slug', text: (product) => product.slug },
  { head: 'Version', text: (product) => product.version },
  { head: 'State', text: (product) => product.state },
  { head: 'Models', text: (product) => product.models.join(', ') },
  { head: 'Operations', text: (product) => product.operations.join(', ') },
  { head: 'Managed by', text: (product) => product.managedBy },
]

interface AddProduct extends NameOption {
  readonly models: string
  readonly operations: string
  readonly draft?: boolean
}

const productStates = ['draft', 'published', 'deprecated', 'retired'] as const

function addProductState(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'state <product> <state>',
    summary: `Move a product through its life: ${productStates.join(', ')}`,
    examples: [['gatewright products state chat retired', 'Nobody may use it any more']],
  })
  runs<object>(command, io, async ({ session, args }) => {
    const id = argument(args, 0)
    const state = productStates.find((known) => known === args[1])
    if (state === undefined) {
      throw new CliFailure('usage', `${args[1]} is not a state.`, `Known are ${productStates.join(', ')}.`)
    }
    const params = { path: { organization: await session.organization(), id } }
    const product = await take(session.client.PATCH(`${products}/{id}`, { params, body: { state } }))
    session.show(product, ({ slug }) => `The product ${slug} is ${state}.\n`)
  })
}

function addProducts(program: Command, io: CliIo): void {
  const group = defineGroup(
    program,
    'products',
    'API products: models and operations that are published together',
  )
  const list = defineCommand(group, {
    name: 'list',
    summary: 'List products',
    examples: [['gatewright products list', 'With what each opens']],
  })
  runs<object>(list, io, async ({ session }) => {
    const organization = await session.organization()
    const rows = await takeAll((after) =>
      take(session.client.GET(products, { params: { path: { organization }, query: pageAfter(after) } })),
    )
    session.table(rows, productColumns, 'There is no product yet: gatewright products add --help')
  })
  const add = defineCommand(group, {
    name: 'add <slug>',
    summary: 'Publish a product',
    examples: [
      [
        "gatewright products add chat --models 'gpt-*,fast' --operations chat.completions,responses.create",
        'Two operations on some models',
      ],
    ],
  })
    .option('--name <name>', 'name for people')
    .option('--models <patterns>', 'model names or patterns, comma-separated', '*')
    .option('--operations <ids>', 'operation ids, comma-separated', '*')
    .option('--draft', 'do not publish it yet')
  runs<AddProduct>(add, io, async ({ session, args, options }) => {
    const body = {
      slug: argument(args, 0),
      models: parseList(options.models),
      operations: parseList(options.operations),
      state: options.draft === true ? ('draft' as const) : ('published' as const),
      ...(options.name === undefined ? {} : { name: options.name }),
    }
    const made = await take(
      session.client.POST(products, {
        params: { path: { organization: await session.organization() } },
        body,
      }),
    )
    session.show(made, ({ slug, state }) => `The product ${slug} is ${state}.\n`)
  })
  addProductState(group, io)
  const remove = defineCommand(group, {
    name: 'remove <product>',
    summary: 'Remove a product',
    examples: [['gatewright products remove chat', 'Refused while an application is subscribed to it']],
  })
  runs<object>(remove, io, async ({ session, args }) => {
    const id = argument(args, 0)
    await take(
      session.client.DELETE(`${products}/{id}`, {
        params: { path: { organization: await session.organization(), id } },
      }),
    )
    session.show({ removed: id }, () => `The product ${id} is removed.\n`)
  })
}

export function addConsumers(program: Command, io: CliIo): void {
  addOrganizations(program, io)
  addApplications(program, io)
  addProducts(program, io)
}
