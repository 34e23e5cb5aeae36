/**
 * Publishing: from the store to the data plane. Builds snapshots, proves that they compile, and sends them with key
 * changes as they happen. Bounds: a change of this process is on its way within one turn of the event loop.
 */
export {
  openDeployment,
  openSecrets,
  type SnapshotSettings,
  sandboxProvider,
} from './build-snapshot.ts'
export { limitSnapshots } from './limit-snapshots.ts'
export { policySnapshots } from './policy-snapshots.ts'
export { createPublisher, type PublisherState } from './publisher.ts'
