import { getOperation } from '../../resource.ts'
import { limits } from '../../resources/limits.ts'

export const limitGet = getOperation(limits)
