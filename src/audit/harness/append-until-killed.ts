/** Test program: appends numbered entries to the log below argv[2] for ever and prints each index once it is published. */
import { openTestLog } from './open-test-log.ts'

const { log } = await openTestLog(process.argv[2] ?? '')

/** Groups of changing size, so that a death finds tiles that are full, partial and about to become full. */
async function appendNext(number: number): Promise<void> {
  const count = 1 + ((number * 37) % 90)
  const entries = Array.from({ length: count }, (_, at) => Buffer.from(`entry ${number + at}`))
  const indexes = await Promise.all(entries.map((entry) => log.append(entry)))
  process.stdout.write(`${indexes.join('\n')}\n`)
  await appendNext(number + count)
}
await appendNext(log.published.size)
