/** The command line as a whole: global options, commands, exit codes. Nothing here ends the process. */
import { Command, CommanderError } from 'commander'
import { packageVersion } from '../kernel/package-version.ts'
import { CliFailure, exitCodes } from './cli-failure.ts'
import { addAdministration } from './commands/administration.ts'
import { addAudit } from './commands/audit.ts'
import { addConsumers } from './commands/consumers.ts'
import { addContent } from './commands/content.ts'
import { addDoctor } from './commands/doctor.ts'
import { addDocuments } from './commands/documents.ts'
import { addGuards } from './commands/guards.ts'
import { addKeys } from './commands/keys.ts'
import { addLimits } from './commands/limits.ts'
import { addModels } from './commands/models.ts'
import { addPlans } from './commands/plans.ts'
import { addAuthorize, addPolicies } from './commands/policies.ts'
import { addProviders } from './commands/providers.ts'
import { addScan } from './commands/scan.ts'
import { addSecrets } from './commands/secrets.ts'
import { addSinks } from './commands/sinks.ts'
import { addStorage } from './commands/storage.ts'
import { addTail } from './commands/tail.ts'
import { addTokenIssuers } from './commands/token-issuers.ts'
import { addUsage } from './commands/usage.ts'
import { defaultUrl } from './connection.ts'
import type { CliIo } from './session.ts'

const description = `Manage Gatewright, the secure gateway and API management plane for LLM services.

On the machine that runs it, no option is needed: the token of the data directory is used.`

function helpAfter(): string {
  const codes = Object.values(exitCodes).map(({ code, meaning }) => `  ${code}  ${meaning}`)
  return `
Environment:
  GATEWRIGHT_URL        address of the control plane
  GATEWRIGHT_TOKEN      admin token
  GATEWRIGHT_DATA_DIR   data directory of the gateway on this machine

Exit codes:
${codes.join('\n')}`
}

export function createProgram(io: CliIo): Command {
  const program = new Command('gatewright')
    .description(description)
    .option('--url <url>', `address of the control plane (default: GATEWRIGHT_URL or ${defaultUrl})`)
    .option('--token <token>', 'admin token; better in GATEWRIGHT_TOKEN, where no list of processes shows it')
    .option('--data-dir <directory>', 'data directory of the gateway on this machine (default: ./data)')
    .option('--org <organization>', 'organization, where the token sees several (slug or id)')
    .option('--json', 'write JSON')
    .version(packageVersion, '-V, --version', 'write the version')
    .addHelpText('after', helpAfter())
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .showHelpAfterError('(add --help for examples)')
  addAdministration(program, io)
  addKeys(program, io)
  addProviders(program, io)
  addModels(program, io)
  addConsumers(program, io)
  addPlans(program, io)
  addLimits(program, io)
  addTokenIssuers(program, io)
  addGuards(program, io)
  addPolicies(program, io)
  addAuthorize(program, io)
  addDocuments(program, io)
  addUsage(program, io)
  addSinks(program, io)
  addTail(program, io)
  addStorage(program, io)
  addSecrets(program, io)
  addContent(program, io)
  addAudit(program, io)
  addScan(program, io)
  addDoctor(program, io)
  return program
}

/** Run `args` (without program and script). Returns the exit code. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  try {
    await createProgram(io).parseAsync([...args], { from: 'user' })
    return exitCodes.done.code
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.done.code : exitCodes.usage.code
    if (!(error instanceof CliFailure)) throw error
    io.err(`error: ${error.message}\n${error.advice === '' ? '' : `${error.advice}\n`}`)
    return exitCodes[error.reason].code
  }
}
