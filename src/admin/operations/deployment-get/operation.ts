import { getOperation } from '../../resource.ts'
import { deployments } from '../../resources/deployments.ts'

export const deploymentGet = getOperation(deployments)
