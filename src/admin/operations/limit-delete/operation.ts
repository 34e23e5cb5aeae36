import { removeOperation } from '../../resource.ts'
import { limits } from '../../resources/limits.ts'

/** Its top-ups go with it. */
export const limitDelete = removeOperation(limits)
