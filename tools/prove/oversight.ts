/** The slice of oversight: what is seen of what happened. */
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
  ],
}
