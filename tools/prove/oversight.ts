/** The slice of oversight: what is seen of what happened. */
import { proveAudit } from './oversight-audit.ts'
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
      name: 'audit',
      does: 'An audit log is changed in every way, and subjects are erased from it: what verify and proofs say then.',
      run: proveAudit,
    },
  ],
}
