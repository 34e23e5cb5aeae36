/** What the process does: arguments → configuration → threads → drain. */
import { parseArgs } from 'node:util'
import { createCounterMemory } from './compose/counter-memory.ts'
import { loadConfiguration } from './compose/load-configuration.ts'
import { ConfigError, describeProblem, readEnvironment } from './config/index.ts'
import { packageVersion } from './kernel/package-version.ts'
import { banner } from './supervisor/banner.ts'
import { createLog } from './supervisor/log.ts'
import type { EarlyThreads } from './supervisor/plane-thread.ts'
import { supervise } from './supervisor/supervise.ts'

const usage = `Gatewright: the secure gateway and API management plane for LLM services

Usage: npm start [-- options]

Options:
  --config FILE     configuration file (default: gatewright.yaml, when it is there)
  --data-dir DIR    keys, certificates, database, event log (default: ./data, created with mode 0700)
  --check           check the configuration and end
  --version         print the version
  --help            print this text

Signals:
  SIGTERM, SIGINT   stop accepting, finish what is under way, end
  SIGHUP            load the configuration again

Management: npx gatewright --help
`

/** A second signal within this time is an echo of the first. */
const repeatWithinMs = 1000

const write = (text: string): void => void process.stdout.write(text)
const complain = (text: string): void => void process.stderr.write(`${text}\n`)

function readArguments() {
  try {
    return parseArgs({
      options: {
        config: { type: 'string' },
        'data-dir': { type: 'string' },
        check: { type: 'boolean' },
        version: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    complain(`${error instanceof Error ? error.message : 'The arguments cannot be read.'}\n\n${usage}`)
    return process.exit(2)
  }
}

async function load(values: ReturnType<typeof readArguments>) {
  try {
    return await loadConfiguration({
      environment: readEnvironment(),
      directory: process.cwd(),
      ...(values.config === undefined ? {} : { file: values.config }),
      ...(values['data-dir'] === undefined ? {} : { dataDir: values['data-dir'] }),
    })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    complain(
      `The configuration is not valid:\n${error.problems.map((problem) => `  ${describeProblem(problem)}`).join('\n')}`,
    )
    return process.exit(2)
  }
}

async function start(values: ReturnType<typeof readArguments>, early: EarlyThreads | null): Promise<void> {
  const loaded = await load(values)
  if (values.check === true) return write('The configuration is valid.\n')
  const supervisor = supervise({
    config: loaded.config,
    configFile: loaded.file,
    ...(values['data-dir'] === undefined ? {} : { dataDir: values['data-dir'] }),
    directory: process.cwd(),
    extraCertificates: [],
    createCounters: createCounterMemory,
    log: createLog((line) => void process.stderr.write(line), Date.now),
    ...(early === null ? {} : { early }),
  })
  let stoppingSince = 0
  const stop = (): void => {
    if (stoppingSince === 0) {
      stoppingSince = performance.now()
      void supervisor.stop().then(() => process.exit(0))
      // npm passes the terminal's signal on, so one Ctrl-C arrives twice; only a later one means "at once".
    } else if (performance.now() - stoppingSince > repeatWithinMs) process.exit(1)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('SIGHUP', () => supervisor.reload())
  try {
    const started = await supervisor.started
    write(
      banner(started, {
        colour: process.stdout.isTTY === true,
        version: packageVersion,
        tookMs: performance.now(),
      }),
    )
  } catch (error) {
    complain(error instanceof Error ? error.message : 'The start failed.')
    process.exit(1)
  }
}

/** @param early threads that are loading already; null: there will be none, or the arguments need none */
export async function runGatewright(early: EarlyThreads | null): Promise<void> {
  const values = readArguments()
  if (values.help === true) write(usage)
  else if (values.version === true) write(`${packageVersion}\n`)
  else await start(values, early)
}
