/** `gatewright policies`: who may call what, in the Cedar language; `gatewright authorize explain`: why. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { components, operations } from '../../../clients/typescript/schema.gen.ts'
import { CliFailure } from '../cli-failure.ts'
import { argument, defineCommand, defineGroup, runs } from '../define-command.ts'
import { type CliIo, pageAfter, type Session, take, takeAll } from '../session.ts'
import { type Column, formatFields, formatTable } from '../table.ts'

type Policy = components['schemas']['Policy']
type Explanation = operations['policy-explain']['responses'][200]['content']['application/json']

const policies = '/api/v1/organizations/{organization}/policies'
const member = '/api/v1/organizations/{organization}/policies/{id}'
const checks = '/api/v1/organizations/{organization}/policy-checks'
const access = '/api/v1/organizations/{organization}/keys/{id}/access'

const columns: readonly Column<Policy>[] = [
  { head: 'Slug', text: ({ slug }) => slug },
  { head: 'Enabled', text: ({ enabled }) => (enabled ? 'yes' : 'no') },
  { head: 'Revision', align: 'right', text: ({ revision }) => String(revision) },
  { head: 'Description', text: ({ description }) => description || '–' },
  { head: 'Managed by', text: ({ managedBy }) => managedBy },
]

/** The text of a policy comes from a file or from standard input: no shell quotes it well. */
async function readText(file: string, io: CliIo): Promise<string> {
  if (file === '-') return io.readInput()
  const path = resolve(io.directory, file)
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new CliFailure('usage', `The file ${path} cannot be read.`)
  }
}

async function pathOf(session: Session, id: string) {
  return { organization: await session.organization(), id }
}

interface Written {
  readonly file?: string
  readonly description?: string
  readonly disabled?: boolean
  readonly enabled?: boolean
}

const fileOption = ['-f, --file <path>', 'the policy in the Cedar language; - reads standard input'] as const

function addAdd(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'add <slug>',
    summary: 'Add a policy',
    examples: [
      ['gatewright policies add everyone -f everyone.cedar', 'In force within a second'],
      ['gatewright policies add no-nights -f - --disabled', 'Kept and checked, and decides nothing yet'],
    ],
  })
    .requiredOption(...fileOption)
    .option('--description <text>', 'what it is for')
    .option('--disabled', 'it decides nothing yet')
  runs<Written>(command, io, async ({ session, args, options }) => {
    const { file = '-', description, disabled = false } = options
    const body = {
      slug: argument(args, 0),
      cedar: await readText(file, io),
      enabled: !disabled,
      ...(description === undefined ? {} : { description }),
    }
    const params = { path: { organization: await session.organization() } }
    const made = await take(session.client.POST(policies, { params, body }))
    session.show(made, ({ slug }) => `The policy ${slug} is there.\n`)
  })
}

function addSet(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'set <policy>',
    summary: 'Change a policy; what is not named stays',
    examples: [
      ['gatewright policies set no-nights -f no-nights.cedar', 'Another text: its revision counts on'],
      ['gatewright policies set no-nights --disabled', 'It decides nothing any more'],
    ],
  })
    .option(...fileOption)
    .option('--description <text>', 'what it is for')
    .option('--enabled', 'it decides')
    .option('--disabled', 'it decides nothing')
  runs<Written>(command, io, async ({ session, args, options }) => {
    const { file, description, enabled, disabled } = options
    if (enabled === true && disabled === true)
      throw new CliFailure('usage', 'A policy is enabled or disabled, not both.')
    const body = {
      ...(file === undefined ? {} : { cedar: await readText(file, io) }),
      ...(description === undefined ? {} : { description }),
      ...(enabled === true || disabled === true ? { enabled: enabled === true } : {}),
    }
    const path = await pathOf(session, argument(args, 0))
    const changed = await take(session.client.PATCH(member, { params: { path }, body }))
    session.show(changed, ({ slug, revision }) => `The policy ${slug} is at revision ${revision}.\n`)
  })
}

function addValidate(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'validate',
    summary: 'Check a policy against the schema without storing it',
    examples: [['gatewright policies validate -f everyone.cedar', 'Exit code 0 when nothing is wrong']],
  }).requiredOption(...fileOption)
  runs<Written>(command, io, async ({ session, options }) => {
    const body = { cedar: await readText(options.file ?? '-', io) }
    const params = { path: { organization: await session.organization() } }
    const { problem } = await take(session.client.POST(checks, { params, body }))
    if (problem !== null) throw new CliFailure('failed', `The policy is not valid: ${problem}`)
    session.show({ problem }, () => 'The policy is valid.\n')
  })
}

function addSchema(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'schema',
    summary: 'Show the Cedar schema that policies are checked against',
    examples: [['gatewright policies schema', 'For editors and tools of the Cedar language, too']],
  })
  runs<object>(command, io, async ({ session }) => {
    session.show(await take(session.client.GET('/api/v1/policy-schema')), ({ cedar }) => cedar)
  })
}

interface Described {
  readonly operation: string
  readonly model?: string
  readonly address?: string
  readonly at?: string
}

const outcomes: Readonly<Record<Explanation['policies'][number]['outcome'], string>> = {
  holds: 'holds',
  'condition-not-met': 'its condition is not met',
  elsewhere: 'is about other callers, operations or models',
  error: 'cannot be evaluated: it decides nothing',
}

const rows: readonly Column<Explanation['policies'][number]>[] = [
  { head: 'Policy', text: ({ policy }) => policy },
  { head: 'Effect', text: ({ effect }) => effect },
  { head: 'For this call', text: ({ outcome }) => outcomes[outcome] },
  { head: 'Without it', text: ({ turnsDecision }) => (turnsDecision ? 'the other decision' : 'the same') },
]

function showExplanation({ isAllowed, hasPolicies, isSubscribed, policies: each }: Explanation): string {
  const fields = formatFields([
    ['Decision', isAllowed ? 'allowed' : 'denied'],
    [
      'Key and subscription',
      isSubscribed ? 'have the operation and the model' : 'lack the operation or model',
    ],
  ])
  const none = hasPolicies ? '' : 'The organization has no enabled policy: key and subscription alone decide.'
  return `${fields}\n${formatTable(each, rows, none)}`
}

function parseTime(text: string): number {
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new CliFailure('usage', `${text} is no time.`, 'Write 2026-11-28T22:00:00Z.')
  return at
}

export function addAuthorize(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'authorize', 'Why a call is allowed or denied')
  const command = defineCommand(group, {
    name: 'explain <key-id>',
    summary: 'Explain which policies decide on a call of a key, and what would change it',
    examples: [
      [
        'gatewright authorize explain k1… --operation chat.completions --model gpt-5',
        'As if the key called now, from this machine',
      ],
    ],
  })
    .requiredOption('--operation <id>', 'operation, chat.completions')
    .option('--model <name>', 'public model name that is asked for')
    .option('--address <address>', 'network address of the caller')
    .option('--at <time>', 'time of the call; now when left out')
  runs<Described>(command, io, async ({ session, args, options }) => {
    const { at, ...described } = options
    const query = { ...described, ...(at === undefined ? {} : { at: parseTime(at) }) }
    const path = await pathOf(session, argument(args, 0))
    session.show(await take(session.client.GET(access, { params: { path, query } })), showExplanation)
  })
}

export function addPolicies(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'policies', 'Policies: who may call what, in the Cedar language')
  const list = defineCommand(group, {
    name: 'list',
    summary: 'List policies',
    examples: [['gatewright policies list', 'Of the organization']],
  })
  runs<object>(list, io, async ({ session }) => {
    const organization = await session.organization()
    const found = await takeAll((after) =>
      take(session.client.GET(policies, { params: { path: { organization }, query: pageAfter(after) } })),
    )
    session.table(found, columns, 'There is no policy: key scopes and subscriptions alone decide.')
  })
  const show = defineCommand(group, {
    name: 'show <policy>',
    summary: 'Show one policy',
    examples: [['gatewright policies show everyone', 'Its text in the Cedar language']],
  })
  runs<object>(show, io, async ({ session, args }) => {
    const path = await pathOf(session, argument(args, 0))
    session.show(await take(session.client.GET(member, { params: { path } })), ({ cedar }) => `${cedar}\n`)
  })
  addAdd(group, io)
  addSet(group, io)
  addValidate(group, io)
  addSchema(group, io)
  const remove = defineCommand(group, {
    name: 'remove <policy>',
    summary: 'Remove a policy; without any, key scopes and subscriptions alone decide',
    examples: [['gatewright policies remove no-nights', 'From the next request on']],
  })
  runs<object>(remove, io, async ({ session, args }) => {
    const id = argument(args, 0)
    await take(session.client.DELETE(member, { params: { path: await pathOf(session, id) } }))
    session.show({ removed: id }, () => `The policy ${id} is removed.\n`)
  })
}
