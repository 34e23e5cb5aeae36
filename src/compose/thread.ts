/**
 * Entry of both kinds of thread. The plane is imported here, so that whatever its modules throw while they are put
 * together is told with its reason, as every other refusal of a start is.
 */
import { parentPort } from 'node:worker_threads'
import type { FromWorker } from '../supervisor/messages.ts'
import { describeStartRefusal } from './describe-refusal.ts'
import { plane } from './thread-data.ts'

try {
  await (plane === 'control' ? import('./control-plane.ts') : import('./data-plane.ts'))
} catch (error) {
  const text = describeStartRefusal(error, { dataDirectory: null, plane })
  parentPort?.postMessage({ type: 'refused', text } satisfies FromWorker)
  process.exit(1)
}
