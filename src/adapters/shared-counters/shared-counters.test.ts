import { nodeCountersContract } from '../../ports/node-counters.contract.ts'
import { createSharedCounters, openSharedCounters } from './shared-counters.ts'

nodeCountersContract('shared memory', (bounds = { slots: 1024, tickets: 256 }) => {
  const buffer = createSharedCounters({ ...bounds, owners: 3 })
  return (owner) => openSharedCounters(buffer, owner)
})
