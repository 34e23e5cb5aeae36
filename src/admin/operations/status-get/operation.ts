import { defineOperation } from '../../operation.ts'
import { statusView } from '../../resources/status.ts'

export const statusGet = defineOperation({
  tag: 'status',
  summary: 'Say what runs',
  success: { status: 200, description: 'The state of this process.', schema: statusView },
  faults: [],
  run(ctx) {
    const report = ctx.deps.status()
    return Promise.resolve({ ...report, listeners: [...report.listeners], load: [...report.load] })
  },
})
