import { listOperation } from '../../resource.ts'
import { limits } from '../../resources/limits.ts'

export const limitList = listOperation(limits)
