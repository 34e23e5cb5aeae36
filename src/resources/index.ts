/**
 * Resources: the objects that a document can manage (organizations, deployments, model routes, products,
 * applications), brought into the store all or nothing. One reconciler serves `gatewright.yaml`, deployments found
 * in the environment, the first start, and `apply`; they differ only in who manages the result.
 */
export { applyDocument, createDocumentManager, type DocumentManager } from './apply-document.ts'
export { applyEnvironment, type FoundProvider } from './environment.ts'
export { makeFirstObjects } from './first-start.ts'
export type { ResourceChange } from './reconcile.ts'
