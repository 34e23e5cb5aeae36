/** `gatewright guards`: what is looked for in requests and answers, and what then happens. */
import type { Command } from 'commander'
import type { components, paths } from '../../../clients/typescript/schema.gen.ts'
import { argument, collect, defineCommand, defineGroup, parseList, runs } from '../define-command.ts'
import { type CliIo, pageAfter, take, takeAll } from '../session.ts'
import type { Column } from '../table.ts'

type Guard = components['schemas']['Guard']
type GivenGuard =
  paths['/api/v1/organizations/{organization}/guards']['post']['requestBody']['content']['application/json']

const guards = '/api/v1/organizations/{organization}/guards'
const member = '/api/v1/organizations/{organization}/guards/{id}'

function describeMatch(match: Guard['match']): string {
  const parts = Object.entries(match).flatMap(([field, names]) =>
    names === null ? [] : [`${field} ${names.join(', ')}`],
  )
  return parts.join('; ') || 'everything'
}

const columns: readonly Column<Guard>[] = [
  { head: 'Guard', text: (guard) => guard.name },
  {
    head: 'Looks for',
    text: ({ detector, rules }) => `${detector}${rules === null ? '' : ` (${rules.join(', ')})`}`,
  },
  { head: 'In', text: (guard) => guard.places.join(', ') },
  { head: 'From score', align: 'right', text: (guard) => String(guard.threshold) },
  { head: 'Then', text: (guard) => guard.action },
  { head: 'Mode', text: (guard) => guard.mode },
  { head: 'Streams', text: (guard) => guard.streaming },
  { head: 'For', text: (guard) => describeMatch(guard.match) },
  { head: 'Managed by', text: (guard) => guard.managedBy },
]

interface GuardOptions {
  readonly in?: string
  readonly rules?: string
  readonly threshold?: string
  readonly mode?: string
  readonly streaming?: string
  readonly onFailure?: string
}
interface AddGuard extends GuardOptions {
  readonly app?: readonly string[]
  readonly product?: readonly string[]
  readonly route?: readonly string[]
  readonly model?: readonly string[]
  readonly key?: readonly string[]
}

/** The words go as they are: the control plane knows which there are, and says so. */
function termsOf({ in: places, rules, threshold, mode, streaming, onFailure }: GuardOptions): object {
  return {
    ...(places === undefined ? {} : { places: parseList(places) }),
    ...(rules === undefined ? {} : { rules: parseList(rules) }),
    ...(threshold === undefined ? {} : { threshold: Number(threshold) }),
    ...(mode === undefined ? {} : { mode }),
    ...(streaming === undefined ? {} : { streaming }),
    ...(onFailure === undefined ? {} : { onFailure }),
  }
}

function withTerms(command: Command): Command {
  return command
    .option('--in <places>', 'request, system-prompt, document, tool-result, tool-call, response')
    .option('--rules <rules>', 'only these rules of the detector, or patterns, comma-separated')
    .option('--threshold <score>', 'from which score on, 0 to 1')
    .option('--mode <mode>', 'enforce or shadow')
    .option('--streaming <how>', 'cut or hold')
    .option('--on-failure <what>', 'closed or open, for answers that cannot be inspected')
}

function addAdd(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'add <name> <detector> <action>',
    summary: 'Add a guard for everything that it matches',
    examples: [
      ['gatewright guards add no-secrets secrets mask', 'In both directions'],
      [
        'gatewright guards add keys-in secrets block --in request,system-prompt',
        'Refuse requests that hold one',
      ],
      ['gatewright guards add try secrets block --mode shadow', 'See first what it would do'],
    ],
  })
  withTerms(command)
    .option('--app <application>', 'only for this application, or pattern; may be repeated', collect)
    .option('--product <product>', 'only for this product; may be repeated', collect)
    .option('--route <route>', 'only for this model route; may be repeated', collect)
    .option('--model <model>', 'only for this model, or pattern; may be repeated', collect)
    .option('--key <key>', 'only for this key id; may be repeated', collect)
  runs<AddGuard>(command, io, async ({ session, args, options }) => {
    const { app, product, route, model, key } = options
    const named = { applications: app, products: product, routes: route, models: model, keys: key }
    const match = Object.fromEntries(Object.entries(named).filter(([, names]) => names !== undefined))
    const words = { name: argument(args, 0), detector: argument(args, 1), action: argument(args, 2) }
    const body = { ...words, ...termsOf(options), match } as GivenGuard
    const params = { path: { organization: await session.organization() } }
    const made = await take(session.client.POST(guards, { params, body }))
    session.show(
      made,
      ({ name, action, places }) => `The guard ${name} holds: ${action} in ${places.join(', ')}.\n`,
    )
  })
}

function addSet(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'set <name>',
    summary: 'Change a guard; what is not said stays',
    examples: [['gatewright guards set try --mode enforce', 'From the next exchange on']],
  })
  withTerms(command).option('--action <action>', 'allow, flag, mask or block')
  runs<GuardOptions & { readonly action?: string }>(command, io, async ({ session, args, options }) => {
    const { action } = options
    const params = { path: { organization: await session.organization(), id: argument(args, 0) } }
    const body = { ...termsOf(options), ...(action === undefined ? {} : { action }) } as Partial<GivenGuard>
    const changed = await take(session.client.PATCH(member, { params, body }))
    session.show(changed, ({ name, action: now, mode }) => `The guard ${name} holds: ${now}, ${mode}.\n`)
  })
}

export function addGuards(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'guards', 'Guards: what is looked for in requests and answers')
  const list = defineCommand(group, {
    name: 'list',
    summary: 'List the guards of the organization',
    examples: [['gatewright guards list', 'With what each looks for, and where']],
  })
  runs<object>(list, io, async ({ session }) => {
    const organization = await session.organization()
    const rows = await takeAll((after) =>
      take(session.client.GET(guards, { params: { path: { organization }, query: pageAfter(after) } })),
    )
    session.table(rows, columns, 'There is no guard yet: gatewright guards add --help')
  })
  addAdd(group, io)
  addSet(group, io)
  const remove = defineCommand(group, {
    name: 'remove <name>',
    summary: 'Remove a guard',
    examples: [['gatewright guards remove try', 'It holds no longer']],
  })
  runs<object>(remove, io, async ({ session, args }) => {
    const id = argument(args, 0)
    await take(
      session.client.DELETE(member, { params: { path: { organization: await session.organization(), id } } }),
    )
    session.show({ removed: id }, () => `The guard ${id} is gone.\n`)
  })
}
