/** `gatewright storage`: what is done to the database itself, on the machine where it lies. */
import type { Command } from 'commander'
import { loadConfig } from '../../config/index.ts'
import { CliFailure } from '../cli-failure.ts'
import { defineCommand, defineGroup, runs } from '../define-command.ts'
import type { CliIo } from '../session.ts'

interface MigrateOptions {
  readonly config?: string
  readonly dataDir?: string
}

async function migrate(options: MigrateOptions, io: CliIo) {
  // The drivers of databases are loaded by this command alone.
  const { migrateStorage } = await import('../../compose/migrate-storage.ts')
  const { describeRefusal } = await import('../../compose/describe-refusal.ts')
  try {
    const { config } = loadConfig({
      environment: io.environment,
      directory: io.directory,
      ...(options.config === undefined ? {} : { file: options.config }),
      ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    })
    return await migrateStorage({ config, workingDirectory: io.directory, environment: io.environment })
  } catch (error) {
    throw new CliFailure('failed', describeRefusal(error, null), 'Nothing was changed.')
  }
}

export function addStorage(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'storage', 'The database itself')
  const command = defineCommand(group, {
    name: 'migrate',
    summary: 'Copy SQLite of the data directory into the empty PostgreSQL of gatewright.yaml, all or nothing',
    examples: [
      [
        'gatewright storage migrate',
        'Stop the gateway and set storage in gatewright.yaml first; each table is counted and compared',
      ],
    ],
  }).option('--config <file>', 'configuration file (default: gatewright.yaml)')
  runs<MigrateOptions>(command, io, async ({ session }) => {
    const { config, dataDir } = command.optsWithGlobals<MigrateOptions>()
    const tables = await migrate(
      { ...(config === undefined ? {} : { config }), ...(dataDir === undefined ? {} : { dataDir }) },
      io,
    )
    session.show({ tables }, () => {
      const rows = tables.reduce((sum, table) => sum + table.rows, 0)
      const lines = tables.map(
        ({ table, rows: count, checksum }) =>
          `${table.padEnd(24)} ${String(count).padStart(9)}  ${checksum.slice(0, 16)}\n`,
      )
      return `${lines.join('')}${rows} rows of ${tables.length} tables were copied and compared. Start the gateway.\n`
    })
  })
}
