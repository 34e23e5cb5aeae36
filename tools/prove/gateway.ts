/** The gateway's slice: every figure that its first release promises and that a machine can measure. */
import { proveFreshClone, proveRevocation, proveSecondStart } from './gateway-lifecycle.ts'
import { proveBench, proveManyStreams, proveSoak } from './gateway-load.ts'
import { runTestFile, testFilesOf } from './run-test-files.ts'
import type { ProofRow, ProofSlice } from './slice.ts'

async function runAll(files: readonly string[]): Promise<readonly ProofRow[]> {
  const rows: ProofRow[] = []
  for (const file of files) rows.push(await runTestFile(file))
  return rows
}

export const gateway: ProofSlice = {
  name: 'gateway',
  title: 'The gateway, end to end',
  sections: [
    {
      name: 'journeys',
      does: 'Official SDKs against the running product, over TLS; crashes, reloads and shutdown under load.',
      run: () => runAll(testFilesOf('test/journeys')),
    },
    {
      name: 'incidents',
      does: 'Public incidents of other gateways, request smuggling and slow clients, tried on ours.',
      run: () => runAll(testFilesOf('test/attack')),
    },
    { name: 'second-start', does: 'The product started twice on one data directory.', run: proveSecondStart },
    {
      name: 'revocation',
      does: 'Keys revoked through the admin API while they are used.',
      run: proveRevocation,
    },
    { name: 'fresh-clone', does: '`git clone`, `npm start`, first answer.', run: proveFreshClone },
    { name: 'bench', does: '`npm run bench`: see the guide to the benchmarks.', run: proveBench },
    {
      name: 'streams',
      does: '2,000 streams at once through one worker, TLS towards the caller.',
      run: proveManyStreams,
    },
    { name: 'soak', does: 'Requests and streams without pause; resident memory sampled.', run: proveSoak },
  ],
}
