import { dropCredential } from '../../deployment-credential.ts'
import { removeOperation } from '../../resource.ts'
import { deployments } from '../../resources/deployments.ts'

/** Refused while model routes name the deployment. Its sealed credential goes with it. */
export const deploymentDelete = removeOperation(deployments, (ctx, record) =>
  dropCredential(ctx.deps.store, record),
)
