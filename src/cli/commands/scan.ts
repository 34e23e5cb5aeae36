/** `gatewright scan`: looks for our keys and tokens in files and in what git keeps of them. It speaks with no gateway. */
import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CliFailure } from '../cli-failure.ts'
import { argument, defineCommand, runs } from '../define-command.ts'
import { gitEnvironment } from '../scan/git-command.ts'
import { type ScanResult, writeJson, writeSarif, writeText } from '../scan/report.ts'
import type { ScanTerms } from '../scan/scan-terms.ts'
import type { CliIo } from '../session.ts'

interface ScanOptions {
  readonly history: boolean
  readonly sarif?: boolean
  readonly ignored?: boolean
  readonly binary?: boolean
  readonly maxBytes: string
}

const defaultMaxBytes = 16_777_216

// The files are read by this command alone.
const loadScan = () => import('../scan/scan-path.ts')

function readTerms(path: string, options: ScanOptions, io: CliIo): ScanTerms {
  const named = resolve(io.directory, path)
  if (!existsSync(named)) throw new CliFailure('usage', `There is no ${path}.`)
  const root = realpathSync(named)
  const maxBytes = Number(options.maxBytes)
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1)
    throw new CliFailure('usage', '--max-bytes takes a number of bytes.')
  return {
    root,
    maxBytes,
    scansBinary: options.binary === true,
    scansIgnored: options.ignored === true,
    environment: gitEnvironment(io.environment),
  }
}

async function scan(terms: ScanTerms, withHistory: boolean): Promise<ScanResult> {
  const { scanPath } = await loadScan()
  return scanPath(terms, withHistory).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : 'unknown'
    throw new CliFailure(
      'usage',
      `It cannot be scanned: ${reason}.`,
      'Leave the history out with --no-history.',
    )
  })
}

export function addScan(program: Command, io: CliIo): void {
  const command = defineCommand(program, {
    name: 'scan <path>',
    summary: 'Look for API keys and admin tokens in files and in the history of git, offline',
    examples: [
      ['gatewright scan .', 'Files that git knows or would add, and all that its history holds'],
      [
        'gatewright scan . --sarif > gatewright.sarif',
        'For code scanning; ends with 1 where there is something',
      ],
      ['gatewright scan build --ignored --binary --no-history', 'All files as they are'],
    ],
  })
    .option('--no-history', 'leave out what git keeps of earlier versions')
    .option('--ignored', 'also files that git ignores, and node_modules')
    .option('--binary', 'also binary files')
    .option('--max-bytes <bytes>', 'leave out what is larger', String(defaultMaxBytes))
    .option('--sarif', 'write SARIF 2.1.0')
  runs<ScanOptions>(command, io, async ({ session, args, options }) => {
    const result = await scan(readTerms(argument(args, 0), options, io), options.history)
    if (options.sarif === true) io.out(writeSarif(result, program.version() ?? ''))
    else io.out(session.json ? writeJson(result) : writeText(result))
    const count = new Set(result.findings.map(({ fingerprint }) => fingerprint)).size
    if (count === 0) return
    const advice = 'Rotate or revoke what is still in use: removing the text does not take it back.'
    throw new CliFailure(
      'failed',
      `${count === 1 ? 'One secret was' : `${count} secrets were`} found.`,
      advice,
    )
  })
}
