import { removeOperation } from '../../resource.ts'
import { plans } from '../../resources/plans.ts'

/** Refused while a subscription has the plan. */
export const planDelete = removeOperation(plans)
