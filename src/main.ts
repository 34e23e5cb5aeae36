/**
 * Process entry. The threads load their modules while this one loads its own and reads the configuration
 * (`run.ts`), which takes a third of the time to the first request away.
 */
import { settleEngine } from './supervisor/engine-settings.ts'
import { openEarlyThreads } from './supervisor/plane-thread.ts'

/** These answer and end. */
const brief = ['--help', '-h', '--version', '--check']

settleEngine()
const early = process.argv.some((argument) => brief.includes(argument)) ? null : openEarlyThreads()
const { runGatewright } = await import('./run.ts')
await runGatewright(early)
