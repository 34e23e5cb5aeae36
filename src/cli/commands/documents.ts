/** `gatewright apply`, `diff` and `export`: objects as a document under version control. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { components } from '../../../clients/typescript/schema.gen.ts'
import { CliFailure } from '../cli-failure.ts'
import { defineCommand, runs } from '../define-command.ts'
import { type CliIo, take } from '../session.ts'

type ChangeList = components['schemas']['ChangeList']

const signs = { create: '+', update: '~', remove: '-' } as const

function describeChanges({ changes }: ChangeList): string {
  if (changes.length === 0) return 'Nothing differs.\n'
  const lines = changes.map(({ action, noun, name, organization, fields }) => {
    const changed = fields.length === 0 ? '' : `: ${fields.join(', ')}`
    return `${signs[action]} ${noun} ${organization}/${name}${changed}\n`
  })
  return lines.join('')
}

interface FileOption {
  readonly file: string
}

async function readDocument({ file }: FileOption, io: CliIo): Promise<string> {
  if (file === '-') return io.readInput()
  const path = resolve(io.directory, file)
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new CliFailure('usage', `The file ${path} cannot be read.`)
  }
}

const fileOption = [
  '-f, --file <path>',
  'document in the objects part of the gatewright.yaml schema; - reads standard input',
] as const

export function addDocuments(program: Command, io: CliIo): void {
  const apply = defineCommand(program, {
    name: 'apply',
    summary: 'Bring the store to what a document says, all or nothing',
    examples: [
      [
        'gatewright apply -f gatewright.yaml',
        'What an earlier document made and this one leaves out is removed',
      ],
    ],
  }).requiredOption(...fileOption)
  runs<FileOption>(apply, io, async ({ session, options }) => {
    const body = { document: await readDocument(options, io) }
    session.show(await take(session.client.POST('/api/v1/config/apply', { body })), describeChanges)
  })
  const diff = defineCommand(program, {
    name: 'diff',
    summary: 'Show what apply would change; changes nothing',
    examples: [
      ['gatewright diff -f gatewright.yaml', 'One line a change: + create, ~ update, - remove'],
      [
        'gatewright diff -f gatewright.yaml --exit-code',
        'For pipelines: exit code 1 where something differs',
      ],
    ],
  })
    .requiredOption(...fileOption)
    .option('--exit-code', 'end with code 1 where something differs')
  runs<FileOption & { readonly exitCode?: boolean }>(diff, io, async ({ session, options }) => {
    const body = { document: await readDocument(options, io) }
    const list = await take(session.client.POST('/api/v1/config/diff', { body }))
    session.show(list, describeChanges)
    if (options.exitCode === true && list.changes.length > 0)
      throw new CliFailure('failed', 'Something differs.')
  })
  const exported = defineCommand(program, {
    name: 'export',
    summary: 'Write all objects as a document that apply takes, without secrets',
    examples: [['gatewright export > gatewright.yaml', 'A start for managing by file']],
  })
  runs<object>(exported, io, async ({ session }) => {
    session.show(await take(session.client.GET('/api/v1/config/export')), ({ document }) => document)
  })
}
