import { listOperation } from '../../resource.ts'
import { policies } from '../../resources/policies.ts'

export const policyList = listOperation(policies)
