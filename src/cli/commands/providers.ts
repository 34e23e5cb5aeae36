/** `gatewright providers`: deployments, which are endpoints of providers with their credentials. */
import type { Command } from 'commander'
import type { components } from '../../../clients/typescript/schema.gen.ts'
import { CliFailure } from '../cli-failure.ts'
import { argument, collect, defineCommand, defineGroup, parsePairs, runs } from '../define-command.ts'
import { readSecret } from '../secret-source.ts'
import { type CliIo, pageAfter, type Session, take, takeAll } from '../session.ts'
import type { Column } from '../table.ts'

type Deployment = components['schemas']['Deployment']
type Provider = components['schemas']['Provider']

const collection = '/api/v1/organizations/{organization}/deployments'

const deploymentColumns: readonly Column<Deployment>[] = [
  { head: 'Name', text: (deployment) => deployment.slug },
  { head: 'Provider', text: (deployment) => deployment.provider },
  { head: 'Address', text: (deployment) => deployment.baseUrl ?? 'of the provider' },
  { head: 'Credential', text: (deployment) => deployment.credential.kind },
  { head: 'State', text: (deployment) => (deployment.enabled ? 'in service' : 'off') },
  { head: 'Managed by', text: (deployment) => deployment.managedBy },
]

const providerColumns: readonly Column<Provider>[] = [
  { head: 'Provider', text: (provider) => provider.id },
  { head: 'Name', text: (provider) => provider.name },
  { head: 'Dialect', text: (provider) => provider.dialect },
  { head: 'Credential', text: (provider) => provider.credentialFields.join(', ') || 'none' },
  { head: 'Settings', text: (provider) => provider.requiredSettings.join(', ') || '–' },
]

export async function listDeployments(session: Session, organization: string): Promise<Deployment[]> {
  return takeAll((after) =>
    take(session.client.GET(collection, { params: { path: { organization }, query: pageAfter(after) } })),
  )
}

function addLists(group: Command, io: CliIo): void {
  const list = defineCommand(group, {
    name: 'list',
    summary: 'List deployments',
    examples: [['gatewright providers list', 'Name, provider, how the credential is held']],
  })
  runs<object>(list, io, async ({ session }) => {
    const deployments = await listDeployments(session, await session.organization())
    session.table(
      deployments,
      deploymentColumns,
      'There is no deployment yet: gatewright providers add --help',
    )
  })
  const catalogue = defineCommand(group, {
    name: 'catalogue',
    summary: 'List the providers that Gatewright knows',
    examples: [['gatewright providers catalogue', 'Ids for `providers add`, with what each needs']],
  })
  runs<object>(catalogue, io, async ({ session }) => {
    const { items } = await take(session.client.GET('/api/v1/providers'))
    session.table(items, providerColumns, 'The catalogue is empty.')
  })
}

interface AddOptions {
  readonly name?: string
  readonly apiKey?: string
  readonly credential?: readonly string[]
  readonly reference?: readonly string[]
  readonly baseUrl?: string
  readonly region?: string
  readonly setting?: readonly string[]
  readonly privateNetwork?: boolean
}

/** The credential that the options describe, or undefined. */
async function credentialOf(options: AddOptions, io: CliIo) {
  const sources = parsePairs(options.credential ?? [], '--credential')
  if (options.apiKey !== undefined) sources['apiKey'] = options.apiKey
  const names = Object.keys(sources)
  if (options.reference !== undefined) {
    if (names.length > 0) throw new CliFailure('usage', 'Give --reference or a credential, not both.')
    return { references: parsePairs(options.reference, '--reference') }
  }
  if (names.length === 0) return undefined
  const secrets = new Map<string, string>()
  for (const name of names) secrets.set(name, await readSecret(sources[name] ?? '', io))
  return { secrets: Object.fromEntries(secrets) }
}

function addAdd(group: Command, io: CliIo): void {
  const command = defineCommand(group, {
    name: 'add <provider>',
    summary: 'Add a deployment of a provider',
    examples: [
      [
        'gatewright providers add openai --api-key env:OPENAI_API_KEY',
        'The key is read here and sealed in the store',
      ],
      ['pass show anthropic | gatewright providers add anthropic --api-key stdin', 'From a password manager'],
      [
        'gatewright providers add openai --reference apiKey=env:OPENAI_API_KEY',
        'The server reads its own environment; nothing is stored',
      ],
      [
        'gatewright providers add vllm --name gpu --base-url http://10.0.0.7:8000/v1 --private-network',
        'A model server of your own',
      ],
    ],
  })
    .option('--name <slug>', 'name of the deployment (the id of the provider when left out)')
    .option('--api-key <source>', 'where the API key is: env:NAME, file:PATH or stdin')
    .option(
      '--credential <field=source>',
      'another secret field, from the same kinds of places; may be repeated',
      collect,
    )
    .option(
      '--reference <field=place>',
      'let the server read env:NAME or file:/path; may be repeated',
      collect,
    )
    .option('--base-url <url>', 'another address than the provider’s')
    .option('--region <region>', 'region')
    .option('--setting <name=value>', 'a setting that the provider needs; may be repeated', collect)
    .option('--private-network', 'allow an address in a private network')
  runs<AddOptions>(command, io, async ({ session, args, options }) => {
    const provider = argument(args, 0)
    const organization = await session.organization()
    const row = await take(
      session.client.GET('/api/v1/providers/{id}', { params: { path: { id: provider } } }),
    )
    const credential = await credentialOf(options, io)
    const body = {
      slug: options.name ?? provider,
      provider,
      ...(credential === undefined ? {} : { credential }),
      ...(options.baseUrl === undefined ? {} : { baseUrl: options.baseUrl }),
      ...(options.region === undefined ? {} : { region: options.region }),
      ...(options.setting === undefined ? {} : { settings: parsePairs(options.setting, '--setting') }),
      ...(options.privateNetwork === true || row.privateNetwork ? { allowPrivateNetwork: true } : {}),
    }
    const made = await take(session.client.POST(collection, { params: { path: { organization } }, body }))
    session.show(
      made,
      ({ slug }) =>
        `The deployment ${slug} of ${row.name} is in service.\nTry it: gatewright providers test ${slug}\nPublish a model: gatewright models add <name> --to ${slug}\n`,
    )
  })
}

function addMember(group: Command, io: CliIo): void {
  const remove = defineCommand(group, {
    name: 'remove <deployment>',
    summary: 'Remove a deployment and its sealed credential',
    examples: [['gatewright providers remove openai', 'Refused while a model route names it']],
  })
  runs<object>(remove, io, async ({ session, args }) => {
    const id = argument(args, 0)
    const params = { path: { organization: await session.organization(), id } }
    await take(session.client.DELETE(`${collection}/{id}`, { params }))
    session.show({ removed: id }, () => `The deployment ${id} is removed.\n`)
  })
  const test = defineCommand(group, {
    name: 'test <deployment>',
    summary: 'Call the provider once with the credential of a deployment',
    examples: [
      ['gatewright providers test openai', 'Exit code 1 where it does not answer or refuses the credential'],
    ],
  })
  runs<object>(test, io, async ({ session, args }) => {
    const id = argument(args, 0)
    const params = { path: { organization: await session.organization(), id } }
    const trial = await take(session.client.POST(`${collection}/{id}/test`, { params }))
    session.show(
      trial,
      ({ ok, detail, durationMs }) =>
        `${id}: ${ok ? 'works' : 'does not work'}; ${detail} (${durationMs} ms)\n`,
    )
    if (!trial.ok) throw new CliFailure('failed', `The deployment ${id} does not work.`)
  })
}

export function addProviders(program: Command, io: CliIo): void {
  const group = defineGroup(
    program,
    'providers',
    'Deployments: endpoints of model providers, with their credentials',
  )
  addLists(group, io)
  addAdd(group, io)
  addMember(group, io)
}
