/** `gatewright secrets`: the keys that protect what is stored. */
import type { Command } from 'commander'
import { defineCommand, defineGroup, runs } from '../define-command.ts'
import { type CliIo, take } from '../session.ts'
import { formatFields } from '../table.ts'

const listed = (versions: readonly number[]): string => (versions.length === 0 ? 'none' : versions.join(', '))

export function addSecrets(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'secrets', 'The keys that protect what is stored')
  const rewrap = defineCommand(group, {
    name: 'rewrap',
    summary: 'Bring sealed credentials, peppers and keys of the audit log under the current root key',
    examples: [
      ['gatewright secrets rewrap', 'After a new root.key; the one before is in secrets.otherRootKeyFiles'],
    ],
  })
  runs<object>(rewrap, io, async ({ session }) => {
    const done = await take(session.client.POST('/api/v1/secrets/rewrap'))
    session.show(done, ({ credentials, peppers, auditKeys }) => {
      const fields = formatFields([
        ['Credentials', `${credentials.rewrapped} wrapped anew, ${credentials.kept} were`],
        ['Peppers', `${peppers.rewrapped} wrapped anew, ${peppers.kept} were`],
        ['Keys of the audit log', `${auditKeys.rewrapped} wrapped anew, ${auditKeys.kept} were`],
      ])
      if (credentials.unreadable === 0) return `${fields}Everything stands under the current root key.\n`
      return `${fields}${credentials.unreadable} credentials stand under a root key that is not here and were left as they are.\n`
    })
  })
  const rotate = defineCommand(group, {
    name: 'rotate-pepper',
    summary: 'Hash new API keys and admin tokens under a new pepper; those that exist go on working',
    examples: [['gatewright secrets rotate-pepper', 'Then rotate the keys that are to stand under it']],
  })
  runs<object>(rotate, io, async ({ session }) => {
    const done = await take(session.client.POST('/api/v1/secrets/pepper/rotate'))
    session.show(done, ({ current, kept, dropped }) =>
      formatFields([
        ['Pepper', `${current} is in use for new keys and tokens`],
        ['Kept', listed(kept)],
        ['Dropped', listed(dropped)],
      ]),
    )
  })
}
