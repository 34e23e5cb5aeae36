import { getOperation } from '../../resource.ts'
import { plans } from '../../resources/plans.ts'

export const planGet = getOperation(plans)
