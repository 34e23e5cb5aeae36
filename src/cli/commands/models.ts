/** `gatewright models`: model routes, which are public names and the deployments behind them. */
import type { Command } from 'commander'
import type { components, paths } from '../../../clients/typescript/schema.gen.ts'
import { CliFailure } from '../cli-failure.ts'
import { argument, collect, defineCommand, defineGroup, parsePairs, runs } from '../define-command.ts'
import { parseDuration } from '../durations.ts'
import { type CliIo, pageAfter, take, takeAll } from '../session.ts'
import type { Column } from '../table.ts'

type ModelRoute = components['schemas']['ModelRoute']

const collection = '/api/v1/organizations/{organization}/routes'

function describeTargets({ targets }: ModelRoute): string {
  return targets
    .map(({ deployment, model, priority }) => {
      const name = model === null ? deployment : `${deployment}=${model}`
      return priority === 0 ? name : `${name} (fallback ${priority})`
    })
    .join(', ')
}

const columns: readonly Column<ModelRoute>[] = [
  { head: 'Model', text: (route) => route.name },
  { head: 'Aliases', text: (route) => route.aliases.join(', ') || '–' },
  { head: 'Served by', text: describeTargets },
  { head: 'State', text: (route) => (route.enabled ? 'in service' : 'off') },
  { head: 'Managed by', text: (route) => route.managedBy },
]

/** `deployment` or `deployment=model at the provider`. */
function parseTarget(text: string, priority: number) {
  const at = text.indexOf('=')
  if (at < 0) return { deployment: text, priority }
  return { deployment: text.slice(0, at), model: text.slice(at + 1), priority }
}

const timeoutFields = {
  connect: 'connectMs',
  'first-byte': 'firstByteMs',
  idle: 'idleMs',
  total: 'totalMs',
} as const

function isTimeoutName(name: string): name is keyof typeof timeoutFields {
  return Object.hasOwn(timeoutFields, name)
}

/** `first-byte=30s` … as the API takes them. @throws CliFailure */
function parseTimeouts(pairs: readonly string[]): NonNullable<ModelRoute['timeouts']> {
  const timeouts: NonNullable<ModelRoute['timeouts']> = {}
  for (const [name, duration] of Object.entries(parsePairs(pairs, '--timeout'))) {
    if (!isTimeoutName(name)) {
      throw new CliFailure(
        'usage',
        `There is no timeout ${name}.`,
        `Take one of ${Object.keys(timeoutFields).join(', ')}.`,
      )
    }
    timeouts[timeoutFields[name]] = parseDuration(duration)
  }
  return timeouts
}

interface AddOptions {
  readonly to: readonly string[]
  readonly timeout?: readonly string[]
  readonly fallback?: readonly string[]
  readonly alias?: readonly string[]
  readonly description?: string
}

function addAdd(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'add <model>',
    summary: 'Publish a model name',
    examples: [
      ['gatewright models add gpt-5 --to openai', 'Under the name that the provider uses'],
      [
        'gatewright models add fast --to openai=gpt-5-mini --fallback anthropic=claude-haiku-4-5',
        'A name of your own; the fallback serves when the first fails',
      ],
      ["gatewright models add 'openai/*' --to openai", 'A pattern: the part after the prefix is asked for'],
      [
        'gatewright models add quick --to openai=gpt-5-mini --timeout first-byte=30s --timeout total=2m',
        'With timeouts of its own',
      ],
    ],
  })
    .requiredOption(
      '--to <deployment[=model]>',
      'deployment that serves it; repeat to share the load',
      collect,
    )
    .option(
      '--fallback <deployment[=model]>',
      'deployment for when those before fail; repeat for more',
      collect,
    )
    .option('--alias <name>', 'another name of the same route; may be repeated', collect)
    .option(
      '--timeout <name=duration>',
      'connect, first-byte, idle or total, before those of the deployment; may be repeated',
      collect,
    )
    .option('--description <text>', 'for people')
  runs<AddOptions>(command, io, async ({ session, args, options }) => {
    const organization = await session.organization()
    const { to, fallback = [], alias, timeout, description } = options
    const body = {
      name: argument(args, 0),
      targets: [
        ...to.map((text) => parseTarget(text, 0)),
        ...fallback.map((text, index) => parseTarget(text, index + 1)),
      ],
      ...(alias === undefined ? {} : { aliases: [...alias] }),
      ...(timeout === undefined ? {} : { timeouts: parseTimeouts(timeout) }),
      ...(description === undefined ? {} : { description }),
    }
    const made = await take(session.client.POST(collection, { params: { path: { organization } }, body }))
    session.show(made, (route) => `The model ${route.name} is served by ${describeTargets(route)}.\n`)
  })
}

type TargetHealth =
  paths['/api/v1/organizations/{organization}/routes/{id}/health']['get']['responses'][200]['content']['application/json']['targets'][number]

const troubleWords: Readonly<Record<TargetHealth['trouble'], string>> = {
  none: 'in use',
  cooling: 'out of use: the provider asked for a pause',
  open: 'out of use: too many calls failed',
  retired: 'out of use: the credential was refused',
  unhealthy: 'out of use: the health check failed',
}

const healthColumns: readonly Column<TargetHealth>[] = [
  { head: 'Deployment', text: (target) => target.deployment },
  { head: 'Model', text: (target) => target.model ?? '–' },
  { head: 'State', text: (target) => troubleWords[target.trouble] },
  { head: 'Tried again in', text: ({ waitMs }) => (waitMs === 0 ? '–' : `${Math.ceil(waitMs / 1000)} s`) },
  { head: 'Outages', text: (target) => String(target.outages) },
]

function addHealth(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'health <model>',
    summary: 'Say which targets of a model are in use',
    examples: [['gatewright models health gpt-5', 'What this node knows of each target; nothing is called']],
  })
  runs<object>(command, io, async ({ session, args }) => {
    const path = { organization: await session.organization(), id: argument(args, 0) }
    const { targets } = await take(session.client.GET(`${collection}/{id}/health`, { params: { path } }))
    session.table(targets, healthColumns, 'No deployment of the model is in service.')
  })
}

export function addModels(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'models', 'Model routes: public model names and what serves them')
  const list = defineCommand(group, {
    name: 'list',
    summary: 'List model routes',
    examples: [['gatewright models list', 'Names, aliases and targets']],
  })
  runs<object>(list, io, async ({ session }) => {
    const organization = await session.organization()
    const routes = await takeAll((after) =>
      take(session.client.GET(collection, { params: { path: { organization }, query: pageAfter(after) } })),
    )
    session.table(routes, columns, 'There is no model route yet: gatewright models add --help')
  })
  addAdd(group, io)
  addHealth(group, io)
  const remove = defineCommand(group, {
    name: 'remove <model>',
    summary: 'Take a model name out of service',
    examples: [["gatewright models remove 'openai/*'", 'By name or alias']],
  })
  runs<object>(remove, io, async ({ session, args }) => {
    const id = argument(args, 0)
    await take(
      session.client.DELETE(`${collection}/{id}`, {
        params: { path: { organization: await session.organization(), id } },
      }),
    )
    session.show({ removed: id }, () => `The model ${id} is removed.\n`)
  })
}
