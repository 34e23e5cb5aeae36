import { removeOperation } from '../../resource.ts'
import { policies } from '../../resources/policies.ts'

/** With its last enabled policy an organization is again as its keys and subscriptions say. */
export const policyDelete = removeOperation(policies)
