import { Type } from 'typebox'
import { listOperation } from '../../resource.ts'
import { deployments } from '../../resources/deployments.ts'

export const deploymentList = listOperation(deployments, {
  providerId: Type.Optional(Type.String({ description: 'Of this provider only.', maxLength: 64 })),
})
