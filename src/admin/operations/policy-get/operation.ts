import { getOperation } from '../../resource.ts'
import { policies } from '../../resources/policies.ts'

export const policyGet = getOperation(policies)
