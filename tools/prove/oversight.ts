/** The slice of oversight: what is seen of what happened. */

import { proveAudit } from './oversight-audit.ts'
import { proveFaults } from './oversight-faults.ts'
import { proveKills } from './oversight-kills.ts'
import { proveReceivers } from './oversight-receivers.ts'
import { proveThroughput } from './oversight-throughput.ts'
import { proveUsageHistory } from './oversight-usage.ts'
import type { ProofSlice } from './slice.ts'

export const oversight: ProofSlice = {
  name: 'oversight',
  title: 'See everything, lose nothing',
  sections: [
    {
      name: 'kills',
      does: 'A product with durable events, killed under load and started again; two receivers compared with its record.',
      run: proveKills,
    },
    {
      name: 'faults',
      does: 'A receiver that is away, one that fails, a full disk, a clock that jumps: the exact set arrives.',
      run: proveFaults,
    },
    {
      name: 'throughput',
      does: 'Events to the spool on one core, all telemetry of a request on the worker, label values without end.',
      run: proveThroughput,
    },
    {
      name: 'usage-90-days',
      does: 'Questions of a dashboard over 90 days of sums, a hundred million requests behind them.',
      run: proveUsageHistory,
    },
    {
      name: 'receivers',
      does: 'Prometheus, Alertmanager, rsyslog with TLS, a failing `_bulk` and OpenSearch get what a product sends.',
      run: proveReceivers,
    },
    {
      name: 'audit',
      does: 'An audit log is changed in every way, and subjects are erased from it: what verify and proofs say then.',
      run: proveAudit,
    },
  ],
}
