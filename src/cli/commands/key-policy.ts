/** `key-policy` of `gatewright orgs` and `gatewright apps`: shows what is asked of API keys, and changes it. */
import type { Command } from 'commander'
import type { components } from '../../../clients/typescript/schema.gen.ts'
import { CliFailure } from '../cli-failure.ts'
import { argument, defineCommand, runs } from '../define-command.ts'
import { parseDuration } from '../durations.ts'
import { type CliIo, type Session, take } from '../session.ts'

type KeyPolicy = components['schemas']['Organization']['keyPolicy']

interface PolicyOptions {
  readonly maxLifetime?: string
  readonly rotateEvery?: string
  readonly rotateWarn?: string
  readonly whenOverdue?: string
  readonly unused?: string
  readonly networks?: string
  readonly clear?: boolean
}

const dayMs = 86_400_000

function days(text: string, option: string): number {
  const count = parseDuration(text) / dayMs
  if (Number.isInteger(count) && count >= 1) return count
  throw new CliFailure('usage', `${option} takes whole days, such as 90d.`)
}

function word<W extends string>(text: string, words: readonly W[], option: string): W {
  const found = words.find((each) => each === text)
  if (found !== undefined) return found
  throw new CliFailure('usage', `${option} takes ${words.join(' or ')}.`)
}

/** The policy after the options; null: they change nothing. */
function changed(before: KeyPolicy, options: PolicyOptions): KeyPolicy | null {
  if (Object.keys(options).length === 0) return null
  const { maxLifetime, rotateEvery, rotateWarn, whenOverdue, unused, networks } = options
  const base: KeyPolicy = options.clear === true ? {} : before
  const { networks: asked, ...rest } = base
  const kept = networks === undefined ? asked : undefined
  const wanted = networks === undefined ? null : word(networks, ['required', 'any'], '--networks')
  return {
    ...rest,
    ...(maxLifetime === undefined ? {} : { maxLifetimeDays: days(maxLifetime, '--max-lifetime') }),
    ...(rotateEvery === undefined ? {} : { rotateEveryDays: days(rotateEvery, '--rotate-every') }),
    ...(rotateWarn === undefined ? {} : { rotateWarnDays: days(rotateWarn, '--rotate-warn') }),
    ...(whenOverdue === undefined
      ? {}
      : { whenRotationOverdue: word(whenOverdue, ['warn', 'refuse'], '--when-overdue') }),
    ...(unused === undefined ? {} : { unusedDays: days(unused, '--unused') }),
    ...(kept === 'required' || wanted === 'required' ? { networks: 'required' as const } : {}),
  }
}

export interface PolicyOwner {
  /** As in the command line: `organization`. */
  readonly noun: string
  read(session: Session, name: string): Promise<KeyPolicy>
  write(session: Session, name: string, keyPolicy: KeyPolicy): Promise<KeyPolicy>
}

export function addKeyPolicy(group: Command, io: CliIo, owner: PolicyOwner): void {
  const name = group.name()
  const command = defineCommand(group, {
    name: `key-policy <${owner.noun}>`,
    summary: `Show or change what the ${owner.noun} asks of API keys`,
    examples: [
      [`gatewright ${name} key-policy acme`, 'What is asked now'],
      [
        `gatewright ${name} key-policy acme --max-lifetime 90d --rotate-every 30d --when-overdue refuse`,
        'Keys end within 90 days, and are refused when they were not rotated for 30',
      ],
      [`gatewright ${name} key-policy acme --clear`, 'Ask for nothing'],
    ],
  })
    .option('--max-lifetime <days>', 'keys must end, within so many days (90d)')
    .option('--rotate-every <days>', 'secrets are to be rotated within so many days')
    .option('--rotate-warn <days>', 'tell the owner so many days before')
    .option('--when-overdue <what>', 'warn, or refuse the key')
    .option('--unused <days>', 'put a key into quarantine that was not used for so many days')
    .option('--networks <what>', 'required: keys must be bound to source networks; any: they need not')
    .option('--clear', 'begin with an empty policy')
  runs<PolicyOptions>(command, io, async ({ session, args, options }) => {
    const id = argument(args, 0)
    const before = await owner.read(session, id)
    const wanted = changed(before, options)
    const policy = wanted === null ? before : await owner.write(session, id, wanted)
    session.show(policy, (shown) => {
      const lines = Object.entries(shown).map(([field, value]) => `${field}: ${value}\n`)
      return lines.length === 0 ? 'Nothing is asked of API keys.\n' : lines.join('')
    })
  })
}

const organizations = '/api/v1/organizations/{organization}'
const applications = '/api/v1/organizations/{organization}/applications/{id}'

export const organizationPolicy: PolicyOwner = {
  noun: 'organization',
  async read({ client }, organization) {
    return (await take(client.GET(organizations, { params: { path: { organization } } }))).keyPolicy
  },
  async write({ client }, organization, keyPolicy) {
    const params = { path: { organization } }
    return (await take(client.PATCH(organizations, { params, body: { keyPolicy } }))).keyPolicy
  },
}

export const applicationPolicy: PolicyOwner = {
  noun: 'application',
  async read(session, id) {
    const params = { path: { organization: await session.organization(), id } }
    return (await take(session.client.GET(applications, { params }))).keyPolicy
  },
  async write(session, id, keyPolicy) {
    const params = { path: { organization: await session.organization(), id } }
    return (await take(session.client.PATCH(applications, { params, body: { keyPolicy } }))).keyPolicy
  },
}
