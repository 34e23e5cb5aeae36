/** Entry of the `gatewright` command. */
import { readEnvironment } from '../config/index.ts'
import { runCli } from './create-program.ts'

const inputMaxBytes = 1_048_576

async function readInput(): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > inputMaxBytes) throw new RangeError(`standard input holds more than ${inputMaxBytes} bytes`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const environment = readEnvironment()
process.exitCode = await runCli(process.argv.slice(2), {
  environment,
  directory: process.cwd(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  readInput,
  now: Date.now,
  // https://no-color.org
  colours: process.stdout.isTTY && (environment['NO_COLOR'] ?? '') === '',
})
