import { listOperation } from '../../resource.ts'
import { plans } from '../../resources/plans.ts'

export const planList = listOperation(plans)
