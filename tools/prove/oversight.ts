/** The slice of oversight: what is seen of what happened. */
import { proveReceivers } from './oversight-receivers.ts'
import { proveUsageHistory } from './oversight-usage.ts'
import type { ProofSlice } from './slice.ts'

export const oversight: ProofSlice = {
  name: 'oversight',
  title: 'See everything, lose nothing',
  sections: [
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
  ],
}
