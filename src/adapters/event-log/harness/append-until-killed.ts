/** Test program: appends numbered events to the log in argv[2] for ever and prints each number once durable. */
import { openEventLog } from '../open-event-log.ts'

const log = await openEventLog({ directory: process.argv[2] ?? '', groupMs: 1, segmentBytes: 200_000 })
// A write beyond the file size limit then fails with EFBIG instead of ending the process.
process.on('SIGXFSZ', () => undefined)

let isFull = false

/** What is smaller may still fit: the log stays usable after a failed write. */
function appendSmall(): void {
  log.append(Buffer.from('small'), (fault) => {
    process.stdout.write(fault === null ? 'small\n' : 'small failed\n', () => process.exit(0))
  })
}

function appendNext(number: number): void {
  if (isFull) return
  const payload = Buffer.from(`${number}:`.padEnd(1000 + (number % 7) * 100, 'x'))
  log.append(payload, (fault) => {
    process.stdout.write(fault === null ? `${number}\n` : `fault ${fault.code}\n`)
    if (fault === null || isFull) return
    isFull = true
    setTimeout(appendSmall, 50)
  })
  if (number % 16 === 0) setTimeout(() => appendNext(number + 1), 1)
  else appendNext(number + 1)
}
appendNext(0)
